/**
 * Random numbers that a seed repeats.
 *
 * @module
 */

/**
 * A generator of numbers in [0, 1), the same for the same seed on every runtime (mulberry32).
 *
 * @param seed Any number; its low 32 bits count.
 * @returns A function that draws the next number.
 *
 * @example
 * ```ts
 * import { random } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * assert.equal(random(5)(), random(5)());
 * ```
 */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
