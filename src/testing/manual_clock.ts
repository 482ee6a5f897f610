/**
 * A clock that stands still until it is moved.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A {@linkcode Clock} for tests: time passes only by {@linkcode ManualClock.advance}.
 *
 * @example
 * ```ts
 * import { ManualClock } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const clock = new ManualClock();
 * const fired: string[] = [];
 * clock.after(100, () => fired.push("late"));
 * clock.after(50, () => fired.push("early"));
 * clock.advance(100);
 * assert.deepEqual(fired, ["early", "late"]);
 * ```
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Entry>();
  #now = 0;

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Calls `callback` once the clock was moved `ms` further.
   *
   * @param ms Delay in milliseconds.
   * @param callback Runs inside {@linkcode ManualClock.advance}.
   * @returns The timer.
   */
  after(ms: number, callback: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  /**
   * Moves the clock, firing what becomes due in order of time; equal times in order of their making.
   *
   * @param ms How far, in milliseconds.
   */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      let next: Entry | undefined;
      for (const entry of this.#timers) {
        if (entry.at <= until && (next === undefined || entry.at < next.at)) next = entry;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = until;
  }
}
