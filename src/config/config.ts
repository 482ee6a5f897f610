/**
 * What a transport can be told, and the frozen snapshot made of it.
 *
 * The input is a plain object with the names of the configuration file. Core reads no file and no
 * environment variable.
 *
 * @module
 */

/** Input of a {@linkcode Transport}; every key has a default. Source: config §2. */
export interface TransportConfig {
  /** What carries the bytes. @default {"tcp"} */
  backend?: Backend;
  /** Where `listen()` binds when it is not told: `ip:port`; `null`, or `none` in a file, to only dial. @default {"127.0.0.1:0"} */
  bind_addr?: string | null;
  /** Most connections at a time, accepted and dialled together; at least 1. @default {1024} */
  max_conns?: number;
  /** Longest silence while input is owed: inside a frame, or during a `read`. Duration above 0. @default {"5s"} */
  read_timeout?: string;
  /** Longest time one socket write may wait for the peer. Duration above 0. @default {"5s"} */
  write_timeout?: string;
  /** Longest time between frames, and for any one frame from its first byte. Duration of at least 1 s. @default {"60s"} */
  idle_timeout?: string;
  /** From accept until the connection is usable. Duration above 0. @default {"5s"} */
  handshake_timeout?: string;
  /** For a whole dial: name, connect, handshake. Duration above 0. @default {"5s"} */
  dial_timeout?: string;
  /** Size ceilings; they can only go below the built-in ones. */
  limits?: {
    /** Largest frame: 64KiB to 1MiB. @default {"1MiB"} */
    max_frame_bytes?: string | number;
    /** Largest chunk of a stream: 4KiB to 64KiB, at most `max_frame_bytes`. @default {"64KiB"} */
    chunk_bytes?: string | number;
  };
  /** Token buckets; each holds half a second of its rate. 0 switches a bucket off. */
  rates?: {
    /** Bytes per second of one connection, each way. @default {0} */
    per_conn_bytes_per_sec?: string | number;
    /** Bytes per second of all connections of one peer, each way. @default {0} */
    per_peer_bytes_per_sec?: string | number;
    /** Bytes per second that this transport sends in all. @default {0} */
    global_egress_bytes_per_sec?: string | number;
    /** Bytes per second that this transport receives in all. @default {0} */
    global_ingress_bytes_per_sec?: string | number;
    /** Connections accepted per second in all. @default {0} */
    accepts_per_sec?: number;
    /** Connections accepted per second of one peer. @default {0} */
    per_peer_accepts_per_sec?: number;
  };
  /** Limits of one peer: an IPv4 address, an IPv6 /64, or a user of a Unix socket. */
  per_peer?: {
    /** Most connections at a time with one peer; 0 switches the limit off. @default {256} */
    max_conns?: number;
  };
  /** TLS as a server. The material comes through {@linkcode ListenOptions.tls}. */
  tls?: {
    /** Whether connections are encrypted; must be `true` with the `tls` backend. @default {false} */
    enabled?: boolean;
    /** File of the certificate chain, PEM; needs {@linkcode TransportHooks.material}. @default {""} */
    cert_path?: string;
    /** File of its private key, PEM; needs {@linkcode TransportHooks.material}. @default {""} */
    key_path?: string;
  };
  /** TLS as a client. */
  tls_client?: {
    /** Whom dials trust without `ca` of their own: the runtime's store, or `ca_bundle_path`. @default {"system"} */
    trust_store?: "system" | "path";
    /** File of trusted roots, PEM; needs {@linkcode TransportHooks.roots}. @default {""} */
    ca_bundle_path?: string;
    /** Name to send and verify instead of the dialled host. @default {""} */
    sni_override?: string;
    /** Protocols to offer, best first; empty offers `oap/1`. @default {[]} */
    alpn?: readonly string[];
  };
  /** Unix sockets. */
  uds?: {
    /** Where `listen()` binds when it is not told: an absolute path of at most 107 bytes; excludes `bind_addr`. @default {""} */
    path?: string;
    /** Users that may connect; empty lets in everyone whom the socket's mode 0600 does. @default {[]} */
    allow_uids?: readonly number[];
  };
  /** Post-quantum key exchange of TLS. */
  pq?: {
    /** `off` is classical; `hybrid` offers X25519MLKEM768 first and classical groups after it. @default {"off"} */
    mode?: "off" | "hybrid";
    /** Whether nothing but `mode` is negotiated. @default {false} */
    enforce?: boolean;
  };
  /** Tor, in this process; see `arti()` of `./arti`. Ignored by other backends. */
  arti?: {
    /** Until Tor must have bootstrapped; then readiness is `NotReady`, and it goes on trying. Duration above 0. @default {"30s"} */
    bootstrap_timeout?: string;
    /** How long a dial waits before it begins; it comes on top of `dial_timeout`. Duration. @default {"0s"} */
    pre_dial_delay?: string;
    /** Directory of mode 0700 for what Tor keeps; with amnesia the one in memory to make a private one in, `/dev/shm` when empty. @default {""} */
    state_path?: string;
    /** File with Arti's own configuration, TOML, such as another network's authorities. @default {""} */
    config_path?: string;
  };
  /** Keeping nothing. */
  amnesia?: {
    /** No file is written, no TLS session kept, and bytes of keys are wiped once parsed. @default {false} */
    enabled?: boolean;
  };
  /** Credentials of the host; the transport neither reads nor sends them. */
  auth?: {
    /** File of a token, whose mode and age `loadConfig` checks. @default {""} */
    macaroon_path?: string;
  };
  /** What {@linkcode TransportHooks.logger} is told. */
  log?: {
    /** How {@linkcode lineLogger} writes. @default {"json"} */
    format?: "json" | "text";
    /** The least level that is told. @default {"info"} */
    level?: "trace" | "debug" | "info" | "warn" | "error";
  };
}

/** What carries the bytes. */
export type Backend = "tcp" | "tls" | "arti";

/** A validated configuration: every key present, durations in milliseconds, sizes in bytes, deep-frozen. */
export interface ConfigSnapshot {
  /** See {@linkcode TransportConfig.backend}. */
  readonly backend: Backend;
  /** See {@linkcode TransportConfig.bind_addr}. */
  readonly bind_addr: string | null;
  /** See {@linkcode TransportConfig.max_conns}. */
  readonly max_conns: number;
  /** Milliseconds. */
  readonly read_timeout: number;
  /** Milliseconds. */
  readonly write_timeout: number;
  /** Milliseconds. */
  readonly idle_timeout: number;
  /** Milliseconds. */
  readonly handshake_timeout: number;
  /** Milliseconds. */
  readonly dial_timeout: number;
  /** Size ceilings in force. */
  readonly limits: {
    /** Bytes. */
    readonly max_frame_bytes: number;
    /** Bytes. */
    readonly chunk_bytes: number;
  };
  /** Token buckets; 0 is off. */
  readonly rates: {
    /** Bytes per second. */
    readonly per_conn_bytes_per_sec: number;
    /** Bytes per second. */
    readonly per_peer_bytes_per_sec: number;
    /** Bytes per second. */
    readonly global_egress_bytes_per_sec: number;
    /** Bytes per second. */
    readonly global_ingress_bytes_per_sec: number;
    /** Connections per second. */
    readonly accepts_per_sec: number;
    /** Connections per second. */
    readonly per_peer_accepts_per_sec: number;
  };
  /** Limits of one peer. */
  readonly per_peer: {
    /** See {@linkcode TransportConfig.per_peer}. */
    readonly max_conns: number;
  };
  /** TLS as a server. */
  readonly tls: {
    /** See {@linkcode TransportConfig.tls}. */
    readonly enabled: boolean;
    /** See {@linkcode TransportConfig.tls}. */
    readonly cert_path: string;
    /** See {@linkcode TransportConfig.tls}. */
    readonly key_path: string;
  };
  /** TLS as a client. */
  readonly tls_client: {
    /** See {@linkcode TransportConfig.tls_client}. */
    readonly trust_store: "system" | "path";
    /** See {@linkcode TransportConfig.tls_client}. */
    readonly ca_bundle_path: string;
    /** See {@linkcode TransportConfig.tls_client}. */
    readonly sni_override: string;
    /** See {@linkcode TransportConfig.tls_client}. */
    readonly alpn: readonly string[];
  };
  /** Unix sockets. */
  readonly uds: {
    /** See {@linkcode TransportConfig.uds}. */
    readonly path: string;
    /** See {@linkcode TransportConfig.uds}. */
    readonly allow_uids: readonly number[];
  };
  /** Post-quantum key exchange of TLS. */
  readonly pq: {
    /** See {@linkcode TransportConfig.pq}. */
    readonly mode: "off" | "hybrid";
    /** See {@linkcode TransportConfig.pq}. */
    readonly enforce: boolean;
  };
  /** Tor. */
  readonly arti: {
    /** Milliseconds. */
    readonly bootstrap_timeout: number;
    /** Milliseconds. */
    readonly pre_dial_delay: number;
    /** See {@linkcode TransportConfig.arti}. */
    readonly state_path: string;
    /** See {@linkcode TransportConfig.arti}. */
    readonly config_path: string;
  };
  /** Keeping nothing. */
  readonly amnesia: {
    /** See {@linkcode TransportConfig.amnesia}. */
    readonly enabled: boolean;
  };
  /** Credentials of the host. */
  readonly auth: {
    /** See {@linkcode TransportConfig.auth}. */
    readonly macaroon_path: string;
  };
  /** What the logger is told. */
  readonly log: {
    /** See {@linkcode TransportConfig.log}. */
    readonly format: "json" | "text";
    /** See {@linkcode TransportConfig.log}. */
    readonly level: "trace" | "debug" | "info" | "warn" | "error";
  };
}

/** One key whose value differs between two configurations. */
export interface ConfigChange {
  /** The key, dotted. */
  readonly path: string;
  /** The value before, as a document writes it; hidden where it names a secret. */
  readonly from: unknown;
  /** The value after. */
  readonly to: unknown;
  /** When it takes effect: with the next operation, when the host rebinds, or with the next dial. */
  readonly reload: "hot" | "rebind" | "next";
  /** Whether the value after bounds less. */
  readonly widened: boolean;
}

/** What became of a configuration that was offered to a running transport. */
export interface ReloadResult {
  /**
   * `applied`: it is in force. `rejected`: it has faults, and all stays as it was. `rebind_required`: it is
   * valid, and takes effect as a whole when the host calls `rebind()`; until then all stays as it was.
   */
  readonly result: "applied" | "rejected" | "rebind_required";
  /** Version of the configuration in force now; grows by one with each that is applied. */
  readonly version: number;
  /** The keys that differ from what was in force; hidden values stay hidden. Empty when rejected. */
  readonly diff: readonly ConfigChange[];
  /** Those of them that bound less than before. */
  readonly widened: readonly string[];
  /** All faults, when rejected. */
  readonly issues?: readonly ConfigIssue[];
}

/** One fault of a configuration. */
export interface ConfigIssue {
  /** The key, such as `limits.max_frame_bytes`; empty for the document itself. */
  readonly path: string;
  /** The rule it breaks, and what to write instead. */
  readonly rule: string;
  /** What was given, shortened. */
  readonly got: string;
  /** The legal values of the key. */
  readonly limit?: string;
  /** What to write instead. */
  readonly instead?: string;
  /** Where it was given: `file:line:column`, the name of an environment variable, or a flag. */
  readonly source?: string;
}
