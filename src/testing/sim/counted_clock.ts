/**
 * A clock that knows how many of its timers wait.
 *
 * @module
 */

import type { Clock, Timer } from "../../clock.ts";

/** The clock of one transport, on that of the run. */
export class CountedClock implements Clock {
  /** Timers that wait. */
  waiting = 0;
  readonly #inner: Clock;

  /** @param inner The clock of the run. */
  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  after(ms: number, callback: () => void): Timer {
    let waits = true;
    const over = (): void => {
      if (waits) this.waiting--;
      waits = false;
    };
    this.waiting++;
    const timer = this.#inner.after(ms, () => (over(), callback()));
    return { cancel: () => (over(), timer.cancel()) };
  }
}
