/**
 * Input of the benchmarks, the same in every run.
 *
 * @module
 */

import { encodeFrame, FLAGS, type Frame } from "../src/oap/mod.ts";

/** A small generator with a fixed seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Bytes that do not compress. */
export function noise(length: number, seed = 1): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length }, () => next() & 255);
}

/** Words that compress three to five times, as text does. */
export function text(length: number, seed = 1): Uint8Array {
  const next = random(seed);
  const words = Array.from({ length: 400 }, () => (next() % 1e9).toString(36));
  let result = "";
  while (result.length < length) result += `${words[next() % words.length]} `;
  return new TextEncoder().encode(result.slice(0, length));
}

/** A frame with a payload. */
export function frame(payload: Uint8Array, flags: number = FLAGS.EVENT): Frame {
  return { flags, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload };
}

/** The same frame, encoded, many times in a row. */
export function repeated(one: Frame, count: number): Uint8Array {
  const bytes = encodeFrame(one);
  const all = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}
