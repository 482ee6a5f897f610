/**
 * Bytes that tell their place: a lost, repeated or foreign byte shows.
 *
 * @module
 */

import { random } from "../random.ts";

const PERIOD = 8_192;

const TABLE: Uint8Array = table();

function table(): Uint8Array {
  const draw = random(0x5eed);
  return Uint8Array.from({ length: PERIOD }, () => Math.floor(draw() * 256));
}

/** The byte at a place of the stream of a key. */
function byteAt(key: number, at: number): number {
  const x = at + key * 97;
  return TABLE[x & (PERIOD - 1)]! ^ ((x >>> 13) & 0xff);
}

/** Fills `into` with the stream of a key, from `at` on. */
export function fill(into: Uint8Array, key: number, at: number): Uint8Array {
  for (let i = 0; i < into.length; i++) into[i] = byteAt(key, at + i);
  return into;
}

/** The first place in `bytes` that differs from the stream, or -1. */
export function mismatch(bytes: Uint8Array, key: number, at: number): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== byteAt(key, at + i)) return i;
  return -1;
}
