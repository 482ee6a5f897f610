/**
 * Sessions of TLS that a client may take up again, which saves both ends the certificate.
 *
 * A session that is taken up is not verified anew: it stands for the server, the roots, the name and the
 * certificate of its first handshake. So one is only offered where all of that is the same, once, and
 * not for longer than the server's certificate is valid.
 *
 * @module
 */

import type { ClientTls, PeerCertificate, SocketAddress } from "./runtime.ts";
import type { TlsModules } from "./tls_modules.ts";

/** Most servers of which some are kept; the one that was used longest ago goes. */
const MOST = 256;

/** Most of one server, which gives two or so at a time. */
const MOST_EACH = 4;

/** Largest one that is kept, in bytes. It has the server's certificates in it. */
const MOST_BYTES = 16_384;

/** Longest time one is kept, in milliseconds: a day, as servers have other keys for tickets by then. */
const LONGEST_MS = 86_400_000;

/** A session, and the certificate that the server showed when it began. */
export interface Session {
  readonly bytes: Uint8Array;
  readonly peer: PeerCertificate;
}

interface Kept extends Session {
  readonly until: number;
}

/** See the module. One for each transport. */
export class TlsSessions {
  readonly #kept = new Map<string, Kept[]>();

  /** The latest session for this key. It is gone from here then: who used one twice could be told by it. */
  take(key: string, now: number = Date.now()): Session | undefined {
    const all = this.#kept.get(key)?.filter(({ until }) => now < until) ?? [];
    const latest = all.pop();
    this.#set(key, all);
    return latest;
  }

  /** Keeps a session. */
  put(key: string, session: Session, now: number = Date.now()): void {
    const until = Math.min(Date.parse(session.peer.validTo), now + LONGEST_MS);
    if (session.bytes.length > MOST_BYTES || !(until > now)) return;
    const all = this.#kept.get(key) ?? [];
    this.#set(key, [...all, { ...session, until }].slice(-MOST_EACH));
    if (this.#kept.size <= MOST) return;
    for (const oldest of this.#kept.keys()) return void this.#kept.delete(oldest);
  }

  /** The one that was used last stands last. */
  #set(key: string, all: Kept[]): void {
    this.#kept.delete(key);
    if (all.length > 0) this.#kept.set(key, all);
  }
}

/** What a session must not be shared across: all that a handshake is verified by and settles. */
export function sessionKey(
  { createHash }: TlsModules["crypto"],
  address: SocketAddress,
  { serverName, ca, certificate, alpn, groups }: ClientTls,
): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([address, serverName, alpn, groups, ca ?? null, !certificate]));
  hash.update(certificate?.cert ?? "");
  return hash.digest("base64");
}
