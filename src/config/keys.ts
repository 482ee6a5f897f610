/**
 * The table of configuration keys: the one source of the schema, the defaults, the ranges, the reload
 * classes, the names of environment variables and flags, the documentation, the JSON Schema and the
 * sample file.
 *
 * To add a key:
 *
 * 1. Give it a type in `TransportConfig` (what a document may hold) and in `ConfigSnapshot` (what the
 *    transport reads), in `config.ts`.
 * 2. Add a row here, where documents should show it; tables of keys are the parts before the dot. The
 *    compiler refuses a row that is missing, has no type there, or has another type. Value types are
 *    in `value_types.ts`; a new one is an entry there.
 * 3. A rule between keys goes to `rules.ts`.
 *
 * Flags, environment variables, `config check` and reload follow from the row. Add a key together with
 * the code that obeys it: what nothing obeys must be refused as unknown.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { AnyKey, ConfigPath, KeyTable } from "./key.ts";
import * as a from "./value_types.ts";

/** The rows, by key. */
export const KEYS: KeyTable = Object.freeze<KeyTable>({
  backend: {
    type: a.choice("tcp", "tls", "arti"),
    default: "tcp",
    reload: "rebind",
    env: "BACKEND",
    flag: "backend",
    doc: "what carries the bytes; arti is Tor, and needs the hook of ./arti",
  },
  bind_addr: {
    type: a.bindAddress(),
    default: "127.0.0.1:0",
    reload: "rebind",
    env: "BIND_ADDR",
    flag: "bind",
    doc: "where to listen; port 0 takes any free one, `none` only dials",
  },
  max_conns: {
    type: a.count(1),
    default: 1_024,
    reload: "hot",
    env: "MAX_CONNS",
    flag: "max-conns",
    doc: "most connections at a time, accepted and dialled together",
  },
  read_timeout: {
    type: a.duration(1),
    default: "5s",
    reload: "hot",
    env: "READ_TIMEOUT",
    flag: "read-timeout",
    doc: "longest silence while input is owed",
  },
  write_timeout: {
    type: a.duration(1),
    default: "5s",
    reload: "hot",
    env: "WRITE_TIMEOUT",
    flag: "write-timeout",
    doc: "longest wait of one socket write",
  },
  idle_timeout: {
    type: a.duration(1_000),
    default: "60s",
    reload: "hot",
    env: "IDLE_TIMEOUT",
    flag: "idle-timeout",
    doc: "longest time between frames, and for any one frame from its first byte",
  },
  handshake_timeout: {
    type: a.duration(1),
    default: "5s",
    reload: "hot",
    env: "HANDSHAKE_TIMEOUT",
    flag: "handshake-timeout",
    doc: "from accept until the connection is usable",
  },
  dial_timeout: {
    type: a.duration(1),
    default: "5s",
    reload: "hot",
    env: "DIAL_TIMEOUT",
    flag: "dial-timeout",
    doc: "for a whole dial: name, connect, handshake",
  },
  "limits.max_frame_bytes": {
    type: a.size(65_536, CAPS.frameBytes),
    default: "1MiB",
    reload: "hot",
    env: "MAX_FRAME_BYTES",
    flag: "max-frame",
    doc: "largest frame; the ceiling is built in, configuration can only lower it",
    aliases: ["limits.max_body_bytes"],
  },
  "limits.chunk_bytes": {
    type: a.size(4_096, CAPS.chunkBytes),
    default: "64KiB",
    reload: "hot",
    env: "CHUNK_BYTES",
    flag: "chunk",
    doc: "largest chunk of a stream, at most limits.max_frame_bytes",
  },
  "rates.per_conn_bytes_per_sec": {
    type: a.byteRate(),
    default: 0,
    reload: "hot",
    env: "PER_CONN_BPS",
    flag: "per-conn-bps",
    doc: "bytes per second of one connection, each way",
  },
  "rates.per_peer_bytes_per_sec": {
    type: a.byteRate(),
    default: 0,
    reload: "hot",
    env: "PER_PEER_BPS",
    flag: "per-peer-bps",
    doc: "bytes per second of all connections of one peer, each way",
  },
  "rates.global_egress_bytes_per_sec": {
    type: a.byteRate(),
    default: 0,
    reload: "hot",
    env: "GLOBAL_EGRESS_BPS",
    flag: "global-egress-bps",
    doc: "bytes per second sent in all",
  },
  "rates.global_ingress_bytes_per_sec": {
    type: a.byteRate(),
    default: 0,
    reload: "hot",
    env: "GLOBAL_INGRESS_BPS",
    flag: "global-ingress-bps",
    doc: "bytes per second received in all",
  },
  "rates.accepts_per_sec": {
    type: a.eventRate(),
    default: 0,
    reload: "hot",
    env: "ACCEPTS_PER_SEC",
    flag: "accepts-per-sec",
    doc: "connections accepted per second in all",
  },
  "rates.per_peer_accepts_per_sec": {
    type: a.eventRate(),
    default: 0,
    reload: "hot",
    env: "PER_PEER_ACCEPTS_PER_SEC",
    flag: "per-peer-accepts-per-sec",
    doc: "connections accepted per second of one peer",
  },
  "per_peer.max_conns": {
    type: a.count(0),
    default: 256,
    reload: "hot",
    env: "PER_PEER_MAX_CONNS",
    flag: "per-peer-max-conns",
    doc: "most connections at a time with one peer",
  },
  "tls.enabled": {
    type: a.bool(),
    default: false,
    reload: "rebind",
    env: "TLS_ENABLED",
    flag: "tls",
    doc: "whether connections are encrypted by TLS; true with the tls backend, false with tcp",
  },
  "tls.cert_path": {
    type: a.path("cert.pem"),
    default: "",
    reload: "hot",
    env: "TLS_CERT_PATH",
    flag: "tls-cert",
    doc: "certificate chain of the server, PEM; read by loadConfig of ./config",
  },
  "tls.key_path": {
    type: a.path("key.pem"),
    default: "",
    reload: "hot",
    env: "TLS_KEY_PATH",
    flag: "tls-key",
    doc: "its private key, PEM, mode 0600; read by loadConfig of ./config",
    hidden: true,
  },
  "tls_client.trust_store": {
    type: a.choice("system", "path"),
    default: "system",
    reload: "hot",
    env: "TLS_CLIENT_TRUST_STORE",
    flag: "tls-client-trust-store",
    doc: "whom dials trust: the runtime's own store, or the roots in tls_client.ca_bundle_path",
  },
  "tls_client.ca_bundle_path": {
    type: a.path("roots.pem"),
    default: "",
    reload: "hot",
    env: "TLS_CLIENT_CA_BUNDLE",
    flag: "tls-client-ca-bundle",
    doc: "roots that dials trust, PEM; read by loadConfig of ./config",
  },
  "tls_client.sni_override": {
    type: a.text({
      rule: "must be a host name",
      legal: "a host name, or empty for none",
      placeholder: "NAME",
      example: "peer.example",
      most: 255,
    }),
    default: "",
    reload: "hot",
    env: "TLS_CLIENT_SNI",
    flag: "tls-client-sni",
    doc: "name to send and verify instead of the dialled host",
  },
  "tls_client.alpn": {
    type: a.protocols(),
    default: [],
    reload: "hot",
    env: "TLS_CLIENT_ALPN",
    flag: "tls-client-alpn",
    doc: "protocols to offer, best first; empty offers oap/1",
  },
  "uds.path": {
    type: a.path("/run/app/app.sock"),
    default: "",
    reload: "rebind",
    env: "UDS_PATH",
    flag: "uds",
    doc: "Unix socket to listen on, absolute, in a directory of mode 0700; excludes bind_addr",
  },
  "uds.allow_uids": {
    type: a.userIds(),
    default: [],
    reload: "hot",
    env: "UDS_ALLOW_UIDS",
    doc: "users that may connect to it; empty lets in everyone whom its mode 0600 does",
  },
  "pq.mode": {
    type: a.choice("off", "hybrid"),
    default: "off",
    reload: "rebind",
    env: "PQ_MODE",
    flag: "pq",
    doc: "key exchange of TLS: classical, or X25519MLKEM768 first and classical after it",
  },
  "pq.enforce": {
    type: a.bool(),
    default: false,
    reload: "rebind",
    env: "PQ_ENFORCE",
    flag: "pq-enforce",
    doc: "whether pq.mode allows nothing else; refused where the runtime cannot restrict groups",
  },
  "amnesia.enabled": {
    type: a.bool(),
    default: false,
    reload: "rebind",
    env: "AMNESIA",
    flag: "amnesia",
    doc:
      "keep nothing: no file is written, no TLS session kept, bytes of keys are wiped once parsed",
  },
  "arti.bootstrap_timeout": {
    type: a.duration(1),
    default: "30s",
    reload: "next",
    env: "ARTI_BOOT_TIMEOUT",
    flag: "arti-boot-timeout",
    doc: "until Tor must have bootstrapped; then NotReady, while it goes on trying",
  },
  "arti.pre_dial_delay": {
    type: a.duration(0),
    default: "0s",
    reload: "next",
    env: "ARTI_PRE_DIAL_DELAY",
    flag: "arti-pre-dial-delay",
    doc: "how long a dial over Tor waits before it begins, on top of dial_timeout",
  },
  "arti.state_path": {
    type: a.path("/var/lib/app/tor"),
    default: "",
    reload: "rebind",
    env: "ARTI_STATE_PATH",
    flag: "arti-state",
    doc:
      "directory of mode 0700 for what Tor keeps; with amnesia, where in memory (empty: /dev/shm)",
  },
  "arti.config_path": {
    type: a.path("arti.toml"),
    default: "",
    reload: "rebind",
    env: "ARTI_CONFIG_PATH",
    flag: "arti-config",
    doc: "file with Arti's own configuration, TOML, such as the authorities of another network",
  },
  "auth.macaroon_path": {
    type: a.path("/run/secrets/token"),
    default: "",
    reload: "hot",
    env: "MACAROON_PATH",
    doc:
      "file of a token for the host's use: mode 0600, not empty; checked by loadConfig of ./config",
  },
  "log.format": {
    type: a.choice("json", "text"),
    default: "json",
    reload: "hot",
    env: "LOG_FORMAT",
    flag: "log-format",
    doc: "how a line of the log is written",
  },
  "log.level": {
    type: a.choice("trace", "debug", "info", "warn", "error"),
    default: "info",
    reload: "hot",
    env: "LOG_LEVEL",
    flag: "log-level",
    doc: "least level that is logged",
  },
});

/** The rows with their names, in the order in which documents show them. */
export const KEY_LIST: readonly AnyKey[] = Object.freeze(
  Object.entries(KEYS).map(([path, row]) =>
    // A row's own types are what the table was checked against; here only `unknown` is left of them.
    Object.freeze({ ...(row as unknown as AnyKey), path: path as ConfigPath })
  ),
);
