/**
 * When to look at the clock: that costs more than a small frame.
 *
 * @module
 */

import { EDGES, Histogram } from "../histogram.ts";

/** Frames of a connection of which one is timed. */
export const TIMED_OF = 256;

/** Bytes at once beside which the clock costs little. */
export const TIMED_BYTES = 4_096;

/**
 * What frames take, by some that are timed. The others count too, as the last that was timed before
 * them. One for all connections of a transport.
 */
export class FrameTimer {
  readonly #seconds: Histogram = new Histogram(EDGES.oapFrameSeconds);
  #last = 0;
  #counted = 0;

  /** Counts frames that took so many milliseconds together. */
  took(ms: number, frames: number): void {
    this.#last = ms / 1_000 / frames;
    this.#count(frames);
  }

  /** Of all frames, of which there were so many. */
  of(frames: number): Histogram {
    if (frames > this.#counted) this.#count(frames - this.#counted);
    return this.#seconds;
  }

  #count(frames: number): void {
    this.#seconds.observe(this.#last, frames);
    this.#counted += frames;
  }
}
