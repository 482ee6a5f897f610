/**
 * What a runtime's zstd encoder made, as the one frame that a receiver's guard accepts.
 *
 * @module
 */

const MAGIC = 0xfd2fb528;
/** Largest window a guard accepts. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * The first frame of some bytes, if nothing of meaning follows. Encoders that stream may end with an empty
 * second frame (Deno's does from 64 KiB on), which is cut off: on the wire exactly one frame is legal, wire §6.
 *
 * @param bytes What an encoder made.
 * @returns The frame, or `undefined` where a guard would not take it.
 */
export function soleFrame(bytes: Uint8Array): Uint8Array | undefined {
  const first = walk(bytes, 0);
  if (first === undefined) return undefined;
  for (let at = first.end; at < bytes.length;) {
    const next = walk(bytes, at);
    if (next === undefined || !next.empty) return undefined;
    at = next.end;
  }
  return bytes.subarray(0, first.end);
}

/** Follows one frame's block headers to its end. */
function walk(bytes: Uint8Array, start: number): { end: number; empty: boolean } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < start + 9 || view.getUint32(start, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(start + 4);
  const single = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x0b) !== 0) return undefined; // reserved, or a dictionary
  if (!single && windowOf(view.getUint8(start + 5)) > WINDOW_BYTES) return undefined;
  const declared = descriptor >> 6;
  let at = start + (single ? 5 : 6) + (declared === 0 ? (single ? 1 : 0) : 1 << declared);
  let empty = true;
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) return undefined;
    const head = view.getUint16(at, true) | view.getUint8(at + 2) << 16;
    const kind = head >> 1 & 3;
    last = (head & 1) !== 0;
    empty &&= head >> 3 === 0;
    at += 3 + (kind === 1 ? 1 : head >> 3);
  }
  at += (descriptor & 0x04) !== 0 ? 4 : 0;
  return at <= bytes.length ? { end: at, empty } : undefined;
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}
