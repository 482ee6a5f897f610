/**
 * A clock that stands still until it is moved.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined; // undefined: fired or cancelled
}

/**
 * A {@linkcode Clock} for tests: time passes only by {@linkcode ManualClock.advance} and
 * {@linkcode ManualClock.step}.
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
  /** A heap: no entry is due before its parent at half its index. */
  readonly #heap: Entry[] = [];
  #now = 0;
  #made = 0;
  #pending = 0;

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending;
  }

  /** When the next timer is due, in milliseconds of this clock; `undefined` when none waits. */
  get next(): number | undefined {
    return this.#first()?.at;
  }

  /**
   * Calls `callback` once the clock was moved `ms` further.
   *
   * @param ms Delay in milliseconds.
   * @param callback Runs inside {@linkcode ManualClock.advance} or {@linkcode ManualClock.step}.
   * @returns The timer.
   */
  after(ms: number, callback: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#made++, callback };
    this.#add(entry);
    this.#pending++;
    return {
      cancel: () => {
        if (entry.callback === undefined) return;
        entry.callback = undefined; // leaves the heap when it comes to the top
        this.#pending--;
      },
    };
  }

  /**
   * Moves the clock, firing what becomes due in order of time; equal times in order of their making.
   *
   * @param ms How far, in milliseconds.
   */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let first = this.#first(); first !== undefined && first.at <= until;) {
      this.step();
      first = this.#first();
    }
    this.#now = until;
  }

  /**
   * Moves the clock to the next timer and fires that one alone.
   *
   * @returns `false` when none waits; the clock then stands where it stood.
   */
  step(): boolean {
    const first = this.#first();
    if (first === undefined) return false;
    this.#drop();
    this.#now = first.at;
    this.#pending--;
    const { callback } = first;
    first.callback = undefined;
    callback!();
    return true;
  }

  #first(): Entry | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === undefined) this.#drop();
    return this.#heap[0];
  }

  #add(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(entry, heap[up]!)) break;
      heap[i] = heap[up]!;
      i = up;
    }
    heap[i] = entry;
  }

  /** Takes the top off. */
  #drop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, last)) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
