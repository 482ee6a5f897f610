/**
 * Whether the WebAssembly module can be kept alive. Source: runtime §6.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** Traps in a minute that are survived. */
const TRAPS = 3;
const MINUTE_MS = 60_000;

/** Counts traps; more than three within a minute is too many, until a minute has passed without one. */
export class TrapRate {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #times: number[] = [];
  #timer: Timer | undefined;

  /** @param clock Monotonic time. @param onChange Told when {@linkcode TrapRate.tooMany} changes. */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Whether there were too many. */
  get tooMany(): boolean {
    return this.#timer !== undefined;
  }

  /** One more connection was lost to a trap. */
  trapped(): void {
    const now = this.#clock.now();
    this.#times.push(now);
    if (this.#times.length > TRAPS + 1) this.#times.shift();
    const many = this.#times.length > TRAPS && now - this.#times[0]! < MINUTE_MS;
    if (!many && this.#timer === undefined) return;
    const before = this.#timer;
    before?.cancel();
    this.#timer = this.#clock.after(MINUTE_MS, () => {
      this.#timer = undefined;
      this.#times.length = 0;
      this.#onChange();
    });
    if (before === undefined) this.#onChange();
  }

  /** Forgets all. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
