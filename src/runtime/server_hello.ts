/**
 * The key-exchange group of a TLS 1.3 handshake, read off the first bytes of the server.
 *
 * For runtimes that tell it in no other way, where the ciphertext passes through our hands.
 *
 * @module
 */

/** A ServerHello is smaller but for the key share, whose group stands before it. */
const LONGEST = 1_024;

const HANDSHAKE = 22;
const SERVER_HELLO = 2;
const KEY_SHARE = 51;

const NAMES: Readonly<Record<number, string>> = {
  0x0017: "P-256",
  0x0018: "P-384",
  0x0019: "P-521",
  0x001d: "X25519",
  0x001e: "X448",
  0x11eb: "SecP256r1MLKEM768",
  0x11ec: "X25519MLKEM768",
  0x11ed: "SecP384r1MLKEM1024",
};

/** Looks for the group in what the server sends, and at most at its first {@linkcode LONGEST} bytes. */
export class ServerHelloReader {
  /** The group, once it was seen. */
  group: string | undefined;
  #bytes: Uint8Array | undefined = new Uint8Array(0);

  /** Takes the next bytes of the server. Cheap once it has found the group or given up. */
  feed(bytes: Uint8Array): void {
    if (this.#bytes === undefined) return;
    const room = LONGEST - this.#bytes.length;
    const joined = new Uint8Array(this.#bytes.length + Math.min(room, bytes.length));
    joined.set(this.#bytes);
    joined.set(bytes.subarray(0, room), this.#bytes.length);
    const found = keyShareGroup(joined);
    this.#bytes = found === "more" && joined.length < LONGEST ? joined : undefined;
    if (typeof found === "number") this.group = NAMES[found] ?? `0x${found.toString(16)}`;
  }
}

/** The group's code point; `more` while bytes are missing; `none` if this is no ServerHello. */
function keyShareGroup(b: Uint8Array): number | "more" | "none" {
  const u16 = (at: number): number => (b[at]! << 8) | b[at + 1]!;
  // record header 5, handshake header 4, version 2, random 32, session id, suite 2, compression 1
  if (b.length < 44) return b.length > 0 && b[0] !== HANDSHAKE ? "none" : "more";
  if (b[0] !== HANDSHAKE || b[5] !== SERVER_HELLO) return "none";
  let at = 44 + b[43]! + 3;
  if (b.length < at + 2) return "more";
  const end = at + 2 + u16(at);
  at += 2;
  while (at + 6 <= b.length && at < end) {
    if (u16(at) === KEY_SHARE) return u16(at + 4);
    at += 4 + u16(at + 2);
  }
  return at >= end ? "none" : "more";
}
