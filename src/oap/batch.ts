/**
 * The frames of one read, with memory of their own or on loan.
 *
 * @module
 */

import { copyRuns, type Run } from "./found.ts";
import { HEADER_BYTES } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import { FramePart } from "./part_view.ts";
import { type Cursor, enter, lengthAt, next, START, Steps } from "./places.ts";
import { changed, returned } from "./source.ts";

/** What both kinds of batches can do. */
export abstract class Frames implements Iterable<FrameView> {
  readonly #runs: readonly Run[];
  readonly #length: number;
  /** Views that a loan's end must reach; `undefined` where nothing is lent. */
  readonly #made: FrameView[] | undefined;
  #cursor: Cursor = START;
  #places: Cursor[] | undefined = undefined;

  /** @internal */
  constructor(runs: readonly Run[], length: number, made: FrameView[] | undefined) {
    this.#runs = runs;
    this.#length = length;
    this.#made = made;
  }

  /** Number of frames, and of parts of frames. */
  get length(): number {
    return this.#length;
  }

  /**
   * The frame at a place. Going forward costs nothing more than {@linkcode Frames.forEach}; the first step
   * backward looks all places up.
   *
   * @param i Counts from 0; a negative number counts from the end.
   * @returns The frame, or `undefined` out of range.
   */
  at(i: number): FrameView | undefined {
    const n = i < 0 ? this.#length + i : i;
    if (!Number.isInteger(n) || n < 0 || n >= this.#length) return undefined;
    if (n < this.#cursor.i && this.#places === undefined) {
      this.#places = [];
      for (let c = enter(this.#runs, START); c.i < this.#length; c = next(this.#runs, c)) {
        this.#places.push(c);
      }
    }
    let cursor = this.#places?.[n] ?? enter(this.#runs, this.#cursor);
    while (cursor.i < n) cursor = next(this.#runs, cursor);
    this.#cursor = cursor;
    return this.#view(this.#runs[cursor.run] as Run, cursor.at);
  }

  /**
   * Calls back for each frame. The same view is moved along, so nothing is allocated: it must not be kept.
   *
   * @param callback Takes the frame, valid until it returns, and its place.
   */
  forEach(callback: (frame: FrameView, i: number) => void): void {
    let view: FrameView | undefined;
    let i = 0;
    for (const run of this.#runs) {
      const { source, end, frames, body } = run;
      let { at } = run;
      if (body !== undefined) {
        callback(this.#view(run, at), i++);
        continue;
      }
      if (view === undefined) view = this.#view(run, at);
      else view.enter(source);
      const header = source.view;
      for (let n = 0; n < frames; n++) {
        const len = header.getUint32(at);
        if (len < HEADER_BYTES || len > end - at) throw changed();
        callback(view.moveTo(at, len), i++);
        at += len;
      }
    }
  }

  /** Each frame as a view of its own. */
  [Symbol.iterator](): IterableIterator<FrameView> {
    return new Steps(this.#runs, (run, at) => this.#view(run, at));
  }

  #view(run: Run, at: number): FrameView {
    const { source, body } = run;
    const view = body === undefined
      ? new FrameView(source, at, lengthAt(run, at))
      : new FramePart(run, body);
    this.#made?.push(view);
    return view;
  }
}

/**
 * Frames that own their memory, or share that of the bytes pushed into a {@linkcode Decoder}. They can be
 * kept.
 *
 * @example
 * ```ts
 * import { Decoder, encodeFrame, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeFrame({ flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload: new Uint8Array(3) });
 * const batch = new Decoder().push(bytes);
 * let payloadBytes = 0;
 * batch.forEach((frame) => payloadBytes += frame.payloadBytes);
 * assert.equal(batch.length, 1);
 * assert.equal(payloadBytes, 3);
 * ```
 */
export class FrameBatch extends Frames {
  /** Tells the two kinds of batches apart in types. */
  readonly borrowed = false as const;
  readonly #owned: readonly Run[];

  /** @internal */
  constructor(runs: readonly Run[], length: number) {
    super(runs, length, undefined);
    this.#owned = runs;
  }

  /** @internal The same frames for a callback that takes loans. */
  runs(): readonly Run[] {
    return this.#owned;
  }
}

/**
 * Frames on loan: their memory is used again when `onBatch` returns. From then on the batch and its views
 * throw `misuse`; arrays taken from them before cannot, and hold other bytes (see `checkBorrows`).
 *
 * @example
 * ```ts
 * import { duplexPair } from "@ron/transport/testing";
 * import { type Frame, framed } from "@ron/transport/oap";
 *
 * await using pair = await duplexPair();
 * const kept: Frame[] = [];
 * framed(pair.near).onBatch((batch) => {
 *   batch.forEach((frame) => {
 *     if (frame.appProtoId === 7) kept.push(frame.toFrame());
 *   });
 * });
 * ```
 */
export class BorrowedBatch extends Frames {
  /** Tells the two kinds of batches apart in types. */
  readonly borrowed = true as const;
  readonly #lent: readonly Run[];
  readonly #views: FrameView[];
  #live = true;

  /** @internal */
  constructor(runs: readonly Run[], length: number) {
    const views: FrameView[] = [];
    super(runs, length, views);
    this.#lent = runs;
    this.#views = views;
  }

  /** Whether the loan has not ended. */
  get live(): boolean {
    return this.#live;
  }

  /** Number of frames; 0 once the loan has ended. */
  override get length(): number {
    return this.#live ? super.length : 0;
  }

  /** The frame at a place, as {@linkcode Frames.at}; `misuse` once the loan has ended. */
  override at(i: number): FrameView | undefined {
    if (!this.#live) throw returned();
    return super.at(i);
  }

  /** As {@linkcode Frames.forEach}; `misuse` once the loan has ended. */
  override forEach(callback: (frame: FrameView, i: number) => void): void {
    if (!this.#live) throw returned();
    super.forEach(callback);
  }

  /** Each frame as a view of its own; `misuse` once the loan has ended. */
  override [Symbol.iterator](): IterableIterator<FrameView> {
    if (!this.#live) throw returned();
    return super[Symbol.iterator]();
  }

  /**
   * The frames in memory of their own, copied at once for the whole batch.
   *
   * @returns A batch that can be kept.
   * @throws {TransportError} `misuse` once the loan has ended.
   */
  copy(): FrameBatch {
    if (!this.#live) throw returned();
    return new FrameBatch(copyRuns(this.#lent, true), this.length);
  }

  /** @internal Ends the loan, after that of the memory. */
  giveBack(): void {
    if (!this.#live) return;
    this.#live = false;
    for (const view of this.#views) view.giveBack();
  }
}
