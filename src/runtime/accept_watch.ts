/**
 * Keeps a listener accepting after the process ran out of descriptors, and says so.
 *
 * No runtime does both. Deno looks at its listener no more, for good, and is silent. Bun asks the
 * kernel again without pause, which takes a whole core, and is silent. Node drops what it cannot
 * hold, and is silent. So the watch asks from time to time whether a descriptor can be had. While
 * none can, it tells the fault once a pause; as soon as one can, the listener's queue is looked at
 * again. See `docs/adr/0005-accepting-without-descriptors.md`.
 *
 * @module
 */

import { systemClock, type Timer } from "../clock.ts";

/** Between two looks while all is well, in milliseconds: what a wedged listener can lose. */
const LOOK_MS = 500;

/** Between two looks, and two told faults, while no descriptor can be had, in milliseconds. */
const PAUSE_MS = 100;

/** What a runtime can do about it. */
export interface AcceptRemedy {
  /** How many descriptors the process may have; `Infinity` where that is not known. */
  readonly limit: number;
  /** Whether what is accepted while no descriptor is left must be closed at once, to keep one free. */
  readonly refuses: boolean;
  /** Whether a descriptor can be had now. */
  available(): boolean;
  /** Looks at the listener's queue again. */
  resume(): void;
  /** Gives back what it holds. */
  release(): void;
}

/** See the module. */
export class AcceptWatch {
  readonly #onFault: (cause: unknown) => void;
  #remedy: AcceptRemedy | undefined;
  #timer: Timer | undefined;
  #exhausted = false;

  /** @param onFault Told at most once every 100 ms, while no descriptor can be had. */
  constructor(onFault: (cause: unknown) => void) {
    this.#onFault = onFault;
  }

  /**
   * Starts watching; the timer does not hold the process.
   *
   * @param remedy The runtime's part.
   */
  start(remedy: AcceptRemedy): void {
    this.#remedy = remedy;
    this.#wait(LOOK_MS);
  }

  /**
   * Whether an accepted socket may be kept.
   *
   * @param fd Its descriptor, where the runtime tells. The kernel gives the lowest one that is free:
   * when it gives the last, there are no others.
   */
  admit(fd: number | undefined): boolean {
    const remedy = this.#remedy;
    if (remedy === undefined) return true;
    if (!this.#exhausted && fd !== undefined && fd >= remedy.limit - 1) {
      this.#exhausted = true;
      this.#wait(PAUSE_MS);
      this.#tell();
    }
    return !(this.#exhausted && remedy.refuses);
  }

  /** Stops watching. */
  close(): void {
    this.#timer?.cancel();
    this.#remedy?.release();
    this.#remedy = undefined;
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = systemClock.after(ms, () => this.#look());
  }

  #look(): void {
    const remedy = this.#remedy!;
    this.#exhausted = !remedy.available();
    this.#wait(this.#exhausted ? PAUSE_MS : LOOK_MS);
    // Told or not, it may have happened between two looks: the queue is looked at each time.
    if (this.#exhausted) this.#tell();
    else remedy.resume();
  }

  #tell(): void {
    this.#onFault(
      Object.assign(
        new Error("No file descriptor is free: nothing more can be accepted until one is"),
        { code: "EMFILE" },
      ),
    );
  }
}
