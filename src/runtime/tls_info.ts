/**
 * What a finished TLS handshake settled.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";
import { factsOf } from "./certificates.ts";
import { isHybrid, keyExchange } from "./key_exchange.ts";
import type { PeerCertificate, TlsInfo } from "./runtime.ts";

/** What is known beside the socket. */
export interface HandshakeFacts {
  /** The groups that could be negotiated, if they were restricted. */
  readonly groups: readonly string[];
  /** The group, if it was read off the wire. */
  readonly group: string | undefined;
  /** The name a client asked for; servers know it from the socket. */
  readonly serverName?: string | undefined;
  /** The peer's certificate, if a session was taken up again: Node forgets it. */
  readonly peer?: PeerCertificate | undefined;
}

/** Describes a socket whose handshake is done and whose peer was verified. */
export function tlsInfo(socket: TLSSocket, facts: HandshakeFacts): TlsInfo {
  const alpn = socket.alpnProtocol;
  const name: unknown = facts.serverName ?? (socket as { servername?: unknown }).servername;
  const group = facts.group ?? ephemeralGroup(socket) ??
    (facts.groups.length === 1 ? facts.groups[0] : undefined);
  return Object.freeze({
    version: socket.getProtocol() ?? "unknown",
    alpn: typeof alpn === "string" && alpn !== "" ? alpn : undefined,
    cipher: socket.getCipher()?.name,
    serverName: typeof name === "string" && name !== "" ? name : undefined,
    group,
    pq: kindOf(group, facts.groups),
    peer: facts.peer ?? peerOf(socket),
  });
}

function kindOf(group: string | undefined, offered: readonly string[]): TlsInfo["pq"] {
  if (group !== undefined) return isHybrid(group) ? "hybrid" : "off";
  const { restricts, hybrid } = keyExchange();
  if (restricts && !hybrid) return "off"; // there is nothing else it could be
  if (offered.length === 0) return "unknown";
  if (offered.every(isHybrid)) return "hybrid";
  return offered.some(isHybrid) ? "unknown" : "off";
}

const NODE_NAMES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** Only clients know it, and only on Node; of hybrids only since Node 24. */
function ephemeralGroup(socket: TLSSocket): string | undefined {
  const info = socket.getEphemeralKeyInfo?.() as { name?: unknown } | null | undefined;
  const name = info?.name;
  return typeof name === "string" && name !== "" ? NODE_NAMES[name] ?? name : undefined;
}

/** The certificate that the other end showed in this handshake. */
export function peerOf(socket: TLSSocket): PeerCertificate | undefined {
  const x509 = socket.getPeerX509Certificate();
  return x509 === undefined ? undefined : Object.freeze({ ...factsOf(x509), authorized: true });
}
