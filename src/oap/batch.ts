/**
 * The frames of one read, with memory of their own or on loan.
 *
 * @module
 */

import { FrameView } from "./frame_view.ts";
import { returned, Source } from "./source.ts";

/**
 * Where the frames of a batch lie: pairs of (offset, length). A negative offset -(i + 1) is a frame that
 * fills `extra[i]`: one that spanned two reads, or was inflated.
 */
export interface Index {
  /** The pairs. */
  at: number[];
  /** What offsets >= 0 count from. */
  main: Source | undefined;
  /** Memory of single frames. */
  extra: Source[];
}

/** What both kinds of batches can do. */
export abstract class Frames implements Iterable<FrameView> {
  readonly #index: Index;

  /** @internal */
  constructor(index: Index) {
    this.#index = index;
  }

  /** Number of frames. */
  get length(): number {
    return this.#index.at.length >> 1;
  }

  /**
   * The frame at a place.
   *
   * @param i Counts from 0; a negative number counts from the end.
   * @returns The frame, or `undefined` out of range.
   */
  at(i: number): FrameView | undefined {
    const n = i < 0 ? this.length + i : i;
    return n >= 0 && n < this.length ? place(this.#index, n, undefined) : undefined;
  }

  /**
   * Calls back for each frame. The same view is moved along, so nothing is allocated: it must not be kept.
   *
   * @param callback Takes the frame, valid until it returns, and its place.
   */
  forEach(callback: (frame: FrameView, i: number) => void): void {
    const index = this.#index;
    let cursor: FrameView | undefined;
    for (let i = 0; i < index.at.length >> 1; i++) {
      cursor = place(index, i, cursor);
      callback(cursor, i);
    }
  }

  /** Each frame as a view of its own. */
  *[Symbol.iterator](): IterableIterator<FrameView> {
    for (let i = 0; i < this.length; i++) yield place(this.#index, i, undefined);
  }
}

function place(index: Index, i: number, cursor: FrameView | undefined): FrameView {
  const at = index.at[2 * i] as number;
  const len = index.at[2 * i + 1] as number;
  const source = (at < 0 ? index.extra[-at - 1] : index.main) as Source;
  const offset = at < 0 ? 0 : at;
  return cursor === undefined
    ? new FrameView(source, offset, len)
    : cursor.moveTo(source, offset, len);
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
  readonly #owned: Index;

  /** @internal */
  constructor(index: Index) {
    super(index);
    this.#owned = index;
  }

  /** @internal The same frames for a callback that takes loans. */
  index(): Index {
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
  readonly #lent: Index;
  #live = true;

  /** @internal */
  constructor(index: Index) {
    super(index);
    this.#lent = index;
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
    return new FrameBatch(copyIndex(this.#lent));
  }

  /** @internal Ends the loan. */
  giveBack(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#lent.main?.giveBack();
    for (const source of this.#lent.extra) source.giveBack();
  }
}

/** The same frames in memory of their own: one copy of the span they cover, and one of each single frame. */
export function copyIndex(index: Index): Index {
  return {
    ...ownMain(index),
    extra: index.extra.map((source) => new Source(source.bytes.slice())),
  };
}

/** The same frames with the main memory copied, which is what a read that is only lent needs. */
export function ownMain(index: Index): Index {
  const { at, main } = index;
  let first = -1;
  let end = 0;
  for (let i = 0; i < at.length; i += 2) {
    const offset = at[i] as number;
    if (offset < 0) continue;
    if (first < 0) first = offset;
    end = offset + (at[i + 1] as number);
  }
  if (main === undefined || first < 0) {
    return { at: at.slice(), main: undefined, extra: index.extra };
  }
  const moved = at.map((value, i) => (i & 1) === 0 && value >= 0 ? value - first : value);
  return { at: moved, main: new Source(main.bytes.slice(first, end)), extra: index.extra };
}
