/**
 * Closing sockets a few at a time.
 *
 * Closing one can take the kernel long when its buffers are full. Where a thousand connections end in one
 * moment, those that wait for them are told at once, and the sockets follow in slices, so that others get
 * their turns in between.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { deferred } from "./deferred.ts";

/** Sockets that are closed without a pause. */
const SLICE = 64;

/** See the module. */
export class Reaper {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  readonly #onEmpty: (() => void)[] = [];
  #closed = 0; // since the event loop had a turn
  #armed = false;

  /** @param clock Where turns come from. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Closes a socket: now, or after those that wait already. */
  take(close: () => void): void {
    if (this.#closed < SLICE && this.#waiting.length === 0) {
      if (this.#closed++ === 0) queueMicrotask(() => this.#closed = 0);
      return close();
    }
    this.#waiting.push(close);
    this.#arm();
  }

  /** Resolves when none waits. */
  empty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    const { promise, resolve } = deferred<void>();
    this.#onEmpty.push(resolve);
    return promise;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.after(0, () => {
      this.#armed = false;
      for (const close of this.#waiting.splice(0, SLICE)) close();
      if (this.#waiting.length > 0) return this.#arm();
      for (const resolve of this.#onEmpty.splice(0)) resolve();
    });
  }
}
