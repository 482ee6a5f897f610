/**
 * TLS as a listener and a dialler are told to use it.
 *
 * @module
 */

import type { ConfigSnapshot } from "../config/config.ts";
import { TransportError } from "../errors.ts";
import { CLASSICAL_GROUPS, HYBRID_GROUP, keyExchange } from "../runtime/detect.ts";
import type {
  ClientTls,
  KeyPair,
  ServerTls,
  TlsMaterialError,
  TlsOptions,
} from "../runtime/runtime.ts";
import type {
  TlsClientOptions,
  TlsMaterial,
  TlsMaterialSource,
  TlsServerOptions,
} from "./options.ts";

/** The protocol that both ends agree on by ALPN, unless configured otherwise. */
const ALPN = "oap/1";

/** Longest name that ALPN can carry, in bytes. */
const ALPN_BYTES = 255;

/**
 * Fetches a listener's certificates and keys.
 *
 * @throws {TransportError} `config_invalid` when something is missing.
 */
export async function serverTls(
  asked: TlsMaterialSource | TlsServerOptions | undefined,
  config: ConfigSnapshot,
): Promise<ServerTls> {
  const options = typeof asked === "function" ? { material: asked } : asked;
  const certificates = await fetchMaterial(options?.material, "listen");
  if (options === undefined || certificates.length === 0) {
    throw invalid(
      "listen",
      "A TLS listener needs a certificate and a key: pass listen({ tls: () => ({ cert, key }) })",
    );
  }
  const { ca, requestCert = ca !== undefined, alpn = [ALPN] } = options;
  if (requestCert && isEmpty(ca)) {
    throw invalid("listen", "Client certificates need roots to be verified against: pass tls.ca");
  }
  return {
    certificates,
    clientCa: requestCert ? ca : undefined,
    alpn: checkAlpn(alpn, "listen"),
    ...common(config),
  };
}

/**
 * What a dialler offers, trusts, verifies and shows.
 *
 * @throws {TransportError} `config_invalid` when something is missing.
 */
export async function clientTls(
  hostname: string,
  options: TlsClientOptions | undefined,
  config: ConfigSnapshot,
  roots?: (config: ConfigSnapshot) => string | Promise<string>,
): Promise<ClientTls> {
  const { sni_override, alpn, trust_store } = config.tls_client;
  const named = trust_store === "path" ? await roots?.(config) : undefined;
  const ca = options?.ca ?? named;
  if ((ca !== undefined || trust_store === "path") && isEmpty(ca)) {
    throw invalid(
      "dial",
      "tls.ca has no root in it: leave it out to trust the runtime's own store",
    );
  }
  const material = options?.material;
  const [certificate] = material === undefined ? [] : await fetchMaterial(material, "dial");
  if (material !== undefined && certificate === undefined) {
    throw invalid("dial", "tls.material gave no certificate and key: leave it out to show none");
  }
  return {
    serverName: options?.serverName ?? (sni_override || hostname),
    ca,
    certificate,
    alpn: checkAlpn(options?.alpn ?? (alpn.length > 0 ? alpn : [ALPN]), "dial"),
    ...common(config),
  };
}

/** What a user is told of material that cannot be used. */
export function materialError(cause: TlsMaterialError, op: "dial" | "rotate"): TransportError {
  const what = op === "dial" ? "The client's TLS material" : "The new TLS material";
  const stays = op === "dial" ? "" : "; what was in use stays";
  return new TransportError("tls", `${what} cannot be used: ${cause.message}${stays}`, {
    op,
    cause,
  });
}

/** The key exchange that a finished handshake must have had, if only one will do. */
export function pqRule({ pq }: ConfigSnapshot): { pq?: "off" | "hybrid" } {
  return pq.enforce ? { pq: pq.mode } : {};
}

function common({ pq, amnesia }: ConfigSnapshot): Omit<TlsOptions, "alpn"> {
  return { groups: groupsFor(pq), keepsNothing: amnesia.enabled };
}

/** Groups to allow, best first; none where the runtime cannot be told. */
function groupsFor({ mode, enforce }: ConfigSnapshot["pq"]): readonly string[] {
  if (!keyExchange().restricts) return [];
  if (mode === "off") return CLASSICAL_GROUPS;
  return enforce ? [HYBRID_GROUP] : [HYBRID_GROUP, ...CLASSICAL_GROUPS];
}

async function fetchMaterial(
  from: TlsMaterial | readonly TlsMaterial[] | TlsMaterialSource | undefined,
  op: "listen" | "dial",
): Promise<readonly KeyPair[]> {
  const given = typeof from === "function" ? await from() : from;
  const all = (Array.isArray(given) ? given : [given]) as readonly (TlsMaterial | undefined)[];
  return all.flatMap((one) => {
    if (one === undefined || one === null) return [];
    if (isPresent(one.cert) && isPresent(one.key)) return [{ cert: one.cert, key: one.key }];
    throw invalid(op, "TLS material needs both a certificate and a key, as PEM: one is empty");
  });
}

function isPresent(pem: unknown): boolean {
  return (typeof pem === "string" || pem instanceof Uint8Array) && pem.length > 0;
}

function isEmpty(ca: string | readonly string[] | undefined): boolean {
  return ca === undefined || ca.length === 0 || (typeof ca !== "string" && !ca.every(isPresent));
}

function checkAlpn(names: readonly string[], op: "listen" | "dial"): readonly string[] {
  for (const name of names) {
    const bytes = new TextEncoder().encode(name).length;
    if (bytes === 0 || bytes > ALPN_BYTES) {
      throw invalid(op, `A protocol for ALPN has 1 to ${ALPN_BYTES} bytes, got ${bytes}`);
    }
  }
  return [...names];
}

function invalid(op: string, what: string): TransportError {
  return new TransportError("config_invalid", what, { op });
}
