/**
 * A decoded frame as a window on the bytes it came in.
 *
 * @module
 */

import { EMPTY, type Frame, HEADER_BYTES } from "./frame.ts";
import { RETURNED, type Source } from "./source.ts";

/**
 * One frame of a batch. Fields are read from its bytes when they are asked for, so a field that nobody
 * reads costs nothing: numbers about 1 ns, `corrId` 10 ns, `tenantId` 50 ns, `payload` 20 to 40 ns.
 *
 * It is a {@linkcode Frame}, and can be sent or encoded as it is. Its memory is the batch's; keeping a
 * small payload keeps the whole receive in memory, {@linkcode FrameView.copyPayload} does not.
 *
 * @example
 * ```ts
 * import { Decoder, encodeFrame, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeFrame({ flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload: new Uint8Array([1, 2]) });
 * const [frame] = new Decoder().push(bytes);
 * assert.equal(frame?.appProtoId, 7);
 * assert.deepEqual(frame?.payload, new Uint8Array([1, 2]));
 * ```
 */
export class FrameView implements Frame {
  // What the source has is held here as well, because a field is read in one step less.
  #view: DataView;
  #buffer: ArrayBufferLike;
  #base: number;
  #source: Source;
  #at: number;
  #len: number;

  /** @internal */
  constructor(source: Source, at: number, len: number) {
    this.#view = source.view;
    this.#buffer = source.buffer;
    this.#base = source.offset;
    this.#source = source;
    this.#at = at;
    this.#len = len;
  }

  /** @internal Points a reused cursor at other memory. */
  enter(source: Source): void {
    this.#view = source.view;
    this.#buffer = source.buffer;
    this.#base = source.offset;
    this.#source = source;
  }

  /** @internal Points a reused cursor at another frame of the same memory. */
  moveTo(at: number, len: number): this {
    this.#at = at;
    this.#len = len;
    return this;
  }

  /** @internal Ends a loan: from now on everything throws `misuse`. */
  giveBack(): void {
    this.#view = RETURNED;
    this.#buffer = EMPTY.buffer;
  }

  /** @internal Copies what an answer is matched by into the header at `at`: protocol, tenant and id. */
  copyIds(to: DataView, at: number): void {
    const view = this.#view;
    const from = this.#at;
    to.setUint16(at + 10, view.getUint16(from + 10));
    to.setUint32(at + 12, view.getUint32(from + 12));
    to.setUint32(at + 16, view.getUint32(from + 16));
    to.setUint32(at + 20, view.getUint32(from + 20));
    to.setUint32(at + 24, view.getUint32(from + 24));
    to.setUint32(at + 30, view.getUint32(from + 30));
    to.setUint32(at + 34, view.getUint32(from + 34));
  }

  /** Bytes of the whole frame: header, capability and payload. Of an inflated frame, its inflated size. */
  get len(): number {
    return this.#len;
  }

  /** Bits of {@linkcode FLAGS}; never `COMP`, which is cleared when the payload is inflated. */
  get flags(): number {
    return this.#view.getUint16(this.#at + 6);
  }

  /** Status or application code. */
  get code(): number {
    return this.#view.getUint16(this.#at + 8);
  }

  /** The application protocol; 0 is HELLO. */
  get appProtoId(): number {
    return this.#view.getUint16(this.#at + 10);
  }

  /** The tenant, 128 bits. */
  get tenantId(): bigint {
    const view = this.#view;
    const high = view.getBigUint64(this.#at + 12);
    const low = view.getBigUint64(this.#at + 20);
    return high === 0n ? low : (high << 64n) | low;
  }

  /** Matches an answer to its request and a chunk to its stream. */
  get corrId(): bigint {
    return this.#view.getBigUint64(this.#at + 30);
  }

  /** Bytes of the capability. */
  get capabilityBytes(): number {
    return this.#view.getUint16(this.#at + 28);
  }

  /** Where this payload starts in that of its frame; not 0 only for later parts of one, see {@linkcode FrameView.last}. */
  get offset(): number {
    return 0;
  }

  /** Whether the frame ends with this payload; `false` only for parts of a frame, which `fragments` asks for. */
  get last(): boolean {
    return true;
  }

  /**
   * The whole payload. For the first part of a frame that is still arriving: asks for the frame in one piece,
   * which then comes in a later batch, and no further parts of it.
   *
   * @returns The payload, or `undefined` where it will come later.
   * @throws {TransportError} `misuse` for a later part, or after more has been read.
   */
  whole(): Uint8Array | undefined {
    return this.payload;
  }

  /** The memory that the frame lies in. With {@linkcode FrameView.payloadAt} a payload can be read without making a view of it. */
  get bytes(): Uint8Array {
    return this.#source.bytes;
  }

  /** Where the payload starts in {@linkcode FrameView.bytes}. */
  get payloadAt(): number {
    return this.#at + HEADER_BYTES + this.#view.getUint16(this.#at + 28);
  }

  /** Bytes of the payload, without making a view of it. */
  get payloadBytes(): number {
    return this.#len - HEADER_BYTES - this.capabilityBytes;
  }

  /** The capability, or `undefined` where there is none. */
  get capability(): Uint8Array | undefined {
    const n = this.capabilityBytes;
    return n === 0 ? undefined : this.#source.slice(this.#at + HEADER_BYTES, n);
  }

  /** The payload, without a copy; empty where there is none. A view of it is made each time: keep it in a variable. */
  get payload(): Uint8Array {
    const at = this.#at;
    const head = HEADER_BYTES + this.#view.getUint16(at + 28);
    return new Uint8Array(this.#buffer, this.#base + at + head, this.#len - head);
  }

  /** The payload in memory of its own. */
  copyPayload(): Uint8Array {
    return new Uint8Array(this.payload);
  }

  /** The frame in memory of its own. */
  toFrame(): Frame {
    return {
      flags: this.flags,
      code: this.code,
      appProtoId: this.appProtoId,
      tenantId: this.tenantId,
      corrId: this.corrId,
      capability: this.capability?.slice(),
      payload: this.copyPayload(),
    };
  }
}
