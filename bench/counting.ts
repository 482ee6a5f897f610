/**
 * All that one read or write adds to the figures, as link, sink, router and sender do it.
 *
 * @module
 */

import { systemClock } from "../src/clock.ts";
import { FrameTimer, TIMED_BYTES, TIMED_OF } from "../src/oap/frame_timer.ts";
import { type FramedCounters, framedCounters } from "../src/oap/framed_counters.ts";
import { Traffic } from "../src/traffic.ts";

/** Frames of a 16 KiB window. */
export const MANY = 160;

const FRAME_BYTES = 102;

/** The figures of one connection and its transport. */
export class Counting {
  readonly #traffic = new Traffic();
  readonly #counters: FramedCounters = framedCounters();
  readonly #reads = new FrameTimer();
  readonly #writes = new FrameTimer();
  #timedIn = 0;
  #untimed = 0;
  #frames = 0;
  #bytes = 0;

  /** What is counted for one read of `frames` frames. */
  read(frames: number): number {
    const bytes = frames * FRAME_BYTES;
    this.#traffic.bytesIn += bytes;
    this.#traffic.reads.observe(bytes);
    const counters = this.#counters;
    const timed = bytes >= TIMED_BYTES || counters.framesIn >= this.#timedIn;
    const before = timed ? systemClock.now() : 0;
    counters.framesIn += frames;
    counters.bytesIn += bytes;
    counters.payloadIn += bytes - 38 * frames;
    counters.hello += 0;
    counters.error += 1;
    counters.start += 3;
    counters.end += 3;
    counters.data += frames - 7;
    if (timed) {
      this.#reads.took(systemClock.now() - before, frames);
      this.#timedIn = counters.framesIn + TIMED_OF;
    }
    return counters.framesIn;
  }

  /** What is counted for `frames` frames that go out by one write. */
  write(frames: number): number {
    for (let i = 0; i < frames; i++) this.#offer();
    const bytes = frames * FRAME_BYTES;
    this.#traffic.bytesOut += bytes;
    this.#traffic.writes.observe(bytes);
    return this.#counters.framesOut;
  }

  #offer(): void {
    if (this.#frames < this.#untimed) return this.#sent();
    const before = systemClock.now();
    this.#sent();
    this.#writes.took(systemClock.now() - before, 1);
    this.#counters.framesOut += this.#frames;
    this.#counters.bytesOut += this.#bytes;
    this.#frames = this.#bytes = 0;
    this.#untimed = TIMED_OF - 1;
  }

  #sent(): void {
    this.#frames++;
    this.#bytes += FRAME_BYTES;
  }
}
