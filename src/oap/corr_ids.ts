/**
 * Correlation ids that do not repeat within a process.
 *
 * @module
 */

/** A source of correlation ids. */
export interface CorrIds {
  /** The next id, 64 bits. */
  next(): bigint;
}

/**
 * Ids that count up from the time of the call, in microseconds, with 12 random bits below; after 2^64 - 1
 * comes 0. Ids of one source never repeat in practice; two sources seldom meet.
 *
 * @param seed The first id; for tests.
 * @returns The source.
 *
 * @example
 * ```ts
 * import { corrIds } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const ids = corrIds();
 * assert.notEqual(ids.next(), ids.next());
 * ```
 */
export function corrIds(seed?: bigint): CorrIds {
  let last = (seed ?? timeSeed()) - 1n;
  return { next: () => last = BigInt.asUintN(64, last + 1n) };
}

function timeSeed(): bigint {
  const micros = BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1000));
  return (micros << 12n) | BigInt(Math.floor(Math.random() * 4096));
}
