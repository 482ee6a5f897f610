/**
 * Token buckets: pure in their state, the number and the time.
 *
 * @module
 */

import { TransportError } from "../errors.ts";

/**
 * A bucket that fills at a steady rate up to half a second's worth. Source: runtime §4.
 *
 * Invariant: `tokens <= capacity`. {@linkcode TokenBucket.tryConsume} never takes it below 0.
 *
 * @example
 * ```ts
 * import { TokenBucket } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * const bucket = new TokenBucket(100, 0);
 * assert.ok(bucket.tryConsume(50, 0));
 * assert.equal(bucket.tryConsume(1, 0), false);
 * assert.ok(bucket.tryConsume(1, 10));
 * ```
 */
export class TokenBucket {
  #rate = 0;
  #capacity = Infinity;
  #tokens: number;
  #at: number;

  /**
   * Makes a full bucket.
   *
   * @param rate Tokens per second; 0 is no limit.
   * @param nowMs The time, in milliseconds.
   * @throws {TransportError} `misuse` for a rate that is negative or not finite, or a time that is not finite.
   */
  constructor(rate: number, nowMs: number) {
    if (!Number.isFinite(nowMs)) throw misuse("The time", "a finite number of milliseconds", nowMs);
    this.#at = nowMs;
    this.#tokens = Infinity;
    this.setRate(rate, nowMs);
  }

  /** Tokens per second; 0 is no limit. */
  get rate(): number {
    return this.#rate;
  }

  /** Most tokens it holds: half a second's worth, at least one; `Infinity` without a limit. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether it limits anything. */
  get limits(): boolean {
    return this.#rate !== 0;
  }

  /**
   * Changes the rate. A smaller bucket keeps what fits; one that was without limit starts full.
   *
   * @throws {TransportError} `misuse` for a rate that is negative or not finite.
   */
  setRate(rate: number, nowMs: number): void {
    if (rate === this.#rate) return;
    if (!(rate >= 0 && rate < Infinity)) {
      throw misuse("A rate", "a finite number of at least 0 (no limit)", rate);
    }
    this.#refill(nowMs);
    this.#rate = rate;
    this.#capacity = rate === 0 ? Infinity : Math.max(1, rate / 2);
    this.#tokens = rate === 0 ? Infinity : Math.min(this.#tokens, this.#capacity);
  }

  /** Tokens there are now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens;
  }

  /** Whether it holds all it can. */
  isFull(nowMs: number): boolean {
    return this.available(nowMs) >= this.#capacity;
  }

  /**
   * Takes `n` tokens, or none.
   *
   * @param n How many, at least 0.
   * @param nowMs The time, in milliseconds. One that is before an earlier one adds nothing.
   * @returns Whether they were there. More than the capacity never are.
   * @throws {TransportError} `misuse` when `n` is negative or `NaN`: that would give tokens.
   */
  tryConsume(n: number, nowMs: number): boolean {
    if (!(n >= 0)) throw misuse("What is taken", "a number of at least 0", n);
    if (this.available(nowMs) < n) return false;
    this.#tokens -= n;
    return true;
  }

  /** Milliseconds until `n` tokens are there, `n` being at most the capacity. */
  waitMs(n: number, nowMs: number): number {
    const missing = n - this.available(nowMs);
    return missing <= 0 ? 0 : missing * 1_000 / this.#rate;
  }

  /** A clock that goes backwards adds nothing. */
  #refill(nowMs: number): void {
    const elapsed = nowMs - this.#at;
    if (!(elapsed > 0)) return;
    this.#at = nowMs;
    if (this.#rate === 0) return;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsed * this.#rate / 1_000);
  }
}

/**
 * Takes `n` tokens of every bucket, or none of any: all are asked before one is touched.
 *
 * @returns Whether they were there.
 */
export function tryConsumeAll(
  buckets: readonly TokenBucket[],
  n: number,
  nowMs: number,
): boolean {
  for (const bucket of buckets) if (bucket.available(nowMs) < n) return false;
  for (const bucket of buckets) bucket.tryConsume(n, nowMs);
  return true;
}

function misuse(what: string, wanted: string, got: number): TransportError {
  return new TransportError("misuse", `${what} of a token bucket must be ${wanted}, got ${got}`, {
    op: "limits",
  });
}
