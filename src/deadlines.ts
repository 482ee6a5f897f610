/**
 * The deadlines of one connection, on one timer.
 *
 * Moving a deadline costs a store: the timer is set anew only when one becomes due earlier than
 * what it waits for, and otherwise finds out, when it fires, that there is still time.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** What can be waited for; the name goes into the `op` of the timeout. */
export type DeadlineName = "handshake" | "read" | "frame" | "write" | "idle" | "drain";

/** Whom the deadlines of a connection tell. */
export interface DeadlineOwner {
  /** One passed; it is cleared. */
  onExpire(name: DeadlineName): void;
}

const NAMES: readonly DeadlineName[] = ["handshake", "read", "frame", "write", "idle", "drain"];

/** See the module. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #owner: DeadlineOwner;
  /** By name. Written out, so that an engine keeps the numbers themselves. */
  readonly #at = [Infinity, Infinity, Infinity, Infinity, Infinity, Infinity];
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;

  /**
   * @param clock Monotonic time.
   * @param owner Told of the deadline that passed.
   */
  constructor(clock: Clock, owner: DeadlineOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /**
   * Sets or moves a deadline.
   *
   * @param name Which.
   * @param at When, in milliseconds of the clock; `Infinity` clears it.
   */
  set(name: DeadlineName, at: number): void {
    if (this.#closed) return;
    this.#at[NAMES.indexOf(name)] = at;
    if (at < this.#timerAt) this.#arm(at);
  }

  /** Clears a deadline. */
  clear(name: DeadlineName): void {
    this.#at[NAMES.indexOf(name)] = Infinity;
  }

  /** Whether a deadline is set. */
  has(name: DeadlineName): boolean {
    return this.#at[NAMES.indexOf(name)] !== Infinity;
  }

  /** When a deadline passes; `Infinity` where it is not set. */
  at(name: DeadlineName): number {
    return this.#at[NAMES.indexOf(name)]!;
  }

  /** Clears all, for good. */
  close(): void {
    this.#closed = true;
    this.#at.fill(Infinity);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    // A timer may fire early by a fraction of a millisecond; one more keeps it from firing twice.
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(at - this.#clock.now())), () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.#check();
    });
  }

  #check(): void {
    const now = this.#clock.now();
    for (let i = 0; i < NAMES.length; i++) {
      if (this.#at[i]! > now) continue;
      this.#at[i] = Infinity;
      this.#owner.onExpire(NAMES[i]!);
      if (this.#closed) return;
    }
    const next = Math.min(...this.#at);
    if (next !== Infinity) this.#arm(next);
  }
}
