/**
 * TLS as a listener and a dialler are told to use it.
 *
 * @module
 */

import type { ConfigSnapshot } from "./config/config.ts";
import { TransportError } from "./errors.ts";
import type { DialOptions, TlsMaterialSource } from "./options.ts";
import type { ClientTls, ServerTls } from "./runtime/runtime.ts";

/** The protocol that both ends agree on by ALPN, unless configured otherwise. */
const ALPN = "oap/1";

/** Fetches a listener's certificate and key. */
export async function serverTls(source: TlsMaterialSource | undefined): Promise<ServerTls> {
  const material = await source?.();
  if (material === undefined || material.cert.length === 0 || material.key.length === 0) {
    throw new TransportError(
      "config_invalid",
      "A TLS listener needs a certificate and a key: pass listen({ tls: () => ({ cert, key }) })",
      { op: "listen" },
    );
  }
  return { cert: material.cert, key: material.key, alpn: [ALPN] };
}

/** What a dialler offers, trusts and verifies. */
export function clientTls(
  hostname: string,
  options: DialOptions["tls"],
  config: ConfigSnapshot,
): ClientTls {
  const { sni_override, alpn } = config.tls_client;
  return {
    serverName: options?.serverName ?? (sni_override || hostname),
    ca: options?.ca,
    alpn: alpn.length > 0 ? alpn : [ALPN],
  };
}
