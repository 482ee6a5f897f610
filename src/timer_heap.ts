/**
 * Many timers on one of the runtime's: a deadline for each of ten thousand connections costs a small
 * object, not a timer of the runtime, which takes ten times as much memory.
 *
 * Timers that are due together fire in slices, and between two slices the event loop gets to look at its
 * sockets. It does not do so by itself: Deno 2.9 asks the kernel for new events only when it has nothing
 * else to do, and a timer that is due is something to do. A thousand deadlines that passed together kept
 * every other connection waiting for 0.8 s.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** Timers of one slice, at most. */
const SLICE = 64;
/** Milliseconds after which a slice ends. */
const SLICE_MS = 4;
/** Milliseconds between two slices. */
const REST_MS = 1;
/** A timer that fires so many milliseconds late was due while the event loop was busy: it may not have rested. */
const LATE_MS = 3;
/** Rests in a row, at most: where the machine is busy all timers are late, and must fire all the same. */
const RESTS = 3;

/** See the module. Timers fire in the order of their times, equal ones in the order of their making. */
export class TimerHeap implements Clock {
  readonly #clock: Clock;
  /** No entry is due before its parent, which is at half its index. */
  readonly #heap: Entry[] = [];
  #made = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  /** When the runtime's timer should fire. */
  #dueAt = Infinity;
  /** Rests since the last slice. */
  #rests = 0;
  #firing = false;

  /** @param clock What the one timer is taken from. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, callback: () => void): Timer {
    const entry = new Entry(this, this.now() + Math.max(0, ms), this.#made++, callback);
    entry.index = this.#heap.length;
    this.#heap.push(entry);
    this.#up(entry);
    this.#arm();
    return entry;
  }

  /** @internal Called once by an entry that was cancelled before it fired. */
  remove(entry: Entry): void {
    const last = this.#heap.pop()!;
    if (last !== entry) {
      last.index = entry.index;
      this.#heap[last.index] = last;
      this.#down(last);
      this.#up(last);
    }
    entry.index = -1;
    if (this.#heap.length === 0) this.#arm();
  }

  /** A timer of the runtime for the first; one that is set for earlier stays, and finds nothing due. */
  #arm(least: number = 0): void {
    if (this.#firing) return;
    const at = this.#heap[0]?.at ?? Infinity;
    if (at === this.#timerAt || (at !== Infinity && at > this.#timerAt)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = at;
    if (at !== Infinity) this.#wait(Math.max(least, at - this.now()));
  }

  #wait(ms: number): void {
    this.#dueAt = this.now() + ms;
    this.#timer = this.#clock.after(ms, () => this.#fire());
  }

  #fire(): void {
    const began = this.now();
    if (began - this.#dueAt > LATE_MS && this.#rests < RESTS) {
      this.#rests++;
      this.#timerAt = -Infinity; // nothing is set for earlier
      return this.#wait(REST_MS);
    }
    this.#rests = 0;
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.#firing = true;
    let now = began;
    try {
      const made = this.#made; // what is made meanwhile waits for the next time
      for (let left = SLICE; left > 0 && now - began < SLICE_MS; left--) {
        const first = this.#heap[0];
        if (first === undefined || first.at > began || first.order >= made) break;
        this.remove(first);
        first.fire();
        now = this.now();
      }
    } finally {
      this.#firing = false;
      this.#arm(now > began ? REST_MS : 0);
    }
  }

  #up(entry: Entry): void {
    const heap = this.#heap;
    let i = entry.index;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(entry, heap[up]!)) break;
      heap[i] = heap[up]!;
      heap[i]!.index = i;
      i = up;
    }
    heap[i] = entry;
    entry.index = i;
  }

  #down(entry: Entry): void {
    const heap = this.#heap;
    let i = entry.index;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, entry)) break;
      heap[i] = heap[down]!;
      heap[i]!.index = i;
      i = down;
    }
    heap[i] = entry;
    entry.index = i;
  }
}

/** One timer. Its place in the heap is kept, so that it can leave from the middle. */
class Entry implements Timer {
  readonly at: number;
  readonly order: number;
  index = -1;
  readonly #heap: TimerHeap;
  readonly #callback: () => void;

  constructor(heap: TimerHeap, at: number, order: number, callback: () => void) {
    this.#heap = heap;
    this.at = at;
    this.order = order;
    this.#callback = callback;
  }

  cancel(): void {
    if (this.index >= 0) this.#heap.remove(this);
  }

  fire(): void {
    this.#callback();
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
