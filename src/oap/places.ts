/**
 * Places of frames in the runs of a batch.
 *
 * @module
 */

import type { Run } from "./found.ts";
import { HEADER_BYTES } from "./frame.ts";
import type { FrameView } from "./frame_view.ts";
import { changed } from "./source.ts";

/** A place in a batch: the frame's number, its run, its number there and where it starts. */
export interface Cursor {
  /** Number of the frame in the batch. */
  readonly i: number;
  /** Number of its run. */
  readonly run: number;
  /** Its number there. */
  readonly n: number;
  /** Where it starts. */
  readonly at: number;
}

/** Before the first frame. */
export const START: Cursor = { i: 0, run: 0, n: 0, at: -1 };

/** The start, with the place where it is. */
export function enter(runs: readonly Run[], cursor: Cursor): Cursor {
  return cursor.at < 0 ? { ...cursor, at: (runs[cursor.run] as Run).at } : cursor;
}

/** The place after. */
export function next(runs: readonly Run[], { i, run, n, at }: Cursor): Cursor {
  const here = runs[run] as Run;
  if (n + 1 === here.frames) {
    return { i: i + 1, run: run + 1, n: 0, at: runs[run + 1]?.at ?? here.end };
  }
  return { i: i + 1, run, n: n + 1, at: at + lengthAt(here, at) };
}

/** Length of the frame at `at`. It has been checked; a value that cannot be means the bytes were changed since. */
export function lengthAt(run: Run, at: number): number {
  const len = run.source.view.getUint32(at);
  if (len < HEADER_BYTES || len > run.end - at) throw changed();
  return len;
}

/** One way through a batch. A generator would take twice as long. */
export class Steps implements IterableIterator<FrameView> {
  readonly #runs: readonly Run[];
  readonly #make: (run: Run, at: number) => FrameView;
  #next = 0;
  #run: Run | undefined = undefined;
  #left = 0;
  #at = 0;

  /** @param runs Where to go. @param make Makes the view at a place. */
  constructor(runs: readonly Run[], make: (run: Run, at: number) => FrameView) {
    this.#runs = runs;
    this.#make = make;
  }

  /** The next frame. */
  next(): IteratorResult<FrameView, undefined> {
    if (this.#left === 0) {
      if (this.#next === this.#runs.length) return { done: true, value: undefined };
      this.#run = this.#runs[this.#next++] as Run;
      this.#left = this.#run.frames;
      this.#at = this.#run.at;
    }
    const value = this.#make(this.#run as Run, this.#at);
    this.#left--;
    this.#at += value.len;
    return { done: false, value };
  }

  /** Itself. */
  [Symbol.iterator](): this {
    return this;
  }
}
