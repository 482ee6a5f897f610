/**
 * The decoder: bytes in, batches of frames out, no socket.
 *
 * @module
 */

import { FramePool } from "./assembly.ts";
import { type BorrowedBatch, FrameBatch } from "./batch.ts";
import type { CodecError } from "./codec_error.ts";
import { wipeScratch } from "./instance.ts";
import { lend } from "./lend.ts";
import { frameLimit } from "./limits.ts";
import { Parser } from "./parser.ts";

/** How a {@linkcode Decoder} is bounded. */
export interface DecoderOptions {
  /** Largest frame, in bytes. Can only be lowered. @default {1048576} */
  maxFrameBytes?: number;
  /** `false`: this end has no codec, and refuses compressed frames as `CodecMissing`. @default {true} */
  inflate?: boolean;
  /**
   * Hands the payload of a frame above 16 KiB on as it arrives, in parts: see {@linkcode FrameView.offset},
   * `last` and `whole()`. Nothing is copied then.
   *
   * @default {false} a frame that spans several pushes is put together
   */
  fragments?: boolean;
  /** {@linkcode Decoder.lend} lends copies and spoils them afterwards, so that a test sees who kept one. @default {false} */
  checkBorrows?: boolean;
}

/**
 * Cuts bytes into frames; wire §4. Any split of the same bytes gives the same frames and the same fault.
 *
 * A header is judged as soon as its 38 bytes are there. Of an unfinished frame no more memory is held than
 * twice what has come, until one chunk (64 KiB) of it has. A fault is not thrown: the batch has what came
 * before it, {@linkcode Decoder.error} tells it, and everything after is dropped.
 *
 * @example Two frames, cut anywhere
 * ```ts
 * import { Decoder, encodeFrame, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const one = encodeFrame({ flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload: new Uint8Array(10) });
 * const both = new Uint8Array([...one, ...one]);
 * const decoder = new Decoder();
 * assert.equal(decoder.push(both.subarray(0, 60)).length, 1);
 * assert.equal(decoder.owed, 26);
 * assert.equal(decoder.push(both.subarray(60)).length, 1);
 * assert.equal(decoder.end(), undefined);
 * ```
 */
export class Decoder {
  readonly #parser: Parser;
  readonly #check: boolean;
  #completed = 0;

  /**
   * Starts between two frames.
   *
   * @param options The bounds.
   * @throws {TransportError} `config_invalid` for a limit above the ceiling or below a header.
   */
  constructor(options: DecoderOptions = {}) {
    this.#parser = new Parser(frameLimit(options.maxFrameBytes), options.inflate ?? true);
    this.#check = options.checkBorrows ?? false;
    if (options.fragments) this.#parser.parts = () => true;
  }

  /** The fault that ended decoding, if one has. */
  get error(): CodecError | undefined {
    return this.#parser.error;
  }

  /** Bytes kept of an unfinished frame. */
  get retained(): number {
    return this.#parser.retained;
  }

  /** Bytes missing to go on: of an unfinished header, or of the frame it declares; 0 between frames. */
  get owed(): number {
    return this.#parser.owed;
  }

  /** Frames returned so far. */
  get completed(): number {
    return this.#completed;
  }

  /**
   * Takes bytes and returns the frames they complete.
   *
   * @param bytes Any number of bytes. Frames that lie in them are views of them: do not change them while
   * frames are in use. Frames that span two pushes, and inflated ones, have memory of their own.
   * @returns The frames before a fault; none after it.
   * @throws {TransportError} `internal` when the WebAssembly module traps; this decoder is then lost.
   */
  push(bytes: Uint8Array): FrameBatch {
    this.#parser.assembly.pool = undefined;
    this.#parser.feed(bytes, 0, Infinity);
    const { runs, items, completed } = this.#parser.take();
    this.#completed += completed;
    return new FrameBatch(runs, items);
  }

  /**
   * Takes bytes and lends the frames they complete to a callback: the fastest way for frames that span several
   * pushes, because the memory they are put together in, 2 MiB at most, is used again.
   *
   * @param bytes Any number of bytes; they may be used again when this returns.
   * @param callback Takes the frames before a fault. When it returns, frames and batch throw `misuse`, and
   * payloads taken from them hold other bytes: keep `batch.copy()`, `toFrame()` or `copyPayload()`.
   * @throws What the callback throws.
   * @throws {TransportError} `internal` when the WebAssembly module traps; this decoder is then lost.
   */
  lend(bytes: Uint8Array, callback: (batch: BorrowedBatch) => void): void {
    const pool = this.#parser.assembly.pool ??= new FramePool();
    this.#parser.feed(bytes, 0, Infinity);
    const { runs, items, completed } = this.#parser.take();
    this.#completed += completed;
    if (items > 0) lend(runs, items, { callback, tell: undefined, pool, check: this.#check });
  }

  /**
   * The input is over.
   *
   * @returns The fault: an earlier one, or `TruncatedHeader` inside a frame; `undefined` between frames.
   */
  end(): CodecError | undefined {
    wipeScratch();
    const fault = this.#parser.end();
    this.#parser.assembly.pool = undefined; // whoever keeps the decoder does not keep its memory
    return fault;
  }
}
