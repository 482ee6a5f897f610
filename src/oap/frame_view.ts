/**
 * A decoded frame as a window on the bytes it came in.
 *
 * @module
 */

import { EMPTY, type Frame, HEADER_BYTES } from "./frame.ts";
import type { Source } from "./source.ts";

/**
 * One frame of a batch. Fields are read from its bytes when they are asked for, so a field that nobody
 * reads costs nothing: numbers about 1 ns, `corrId` 10 ns, `tenantId` 50 ns, `payload` 25 ns once.
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
  #source: Source;
  #at: number;
  #len: number;
  #payload: Uint8Array | undefined = undefined;

  /** @internal */
  constructor(source: Source, at: number, len: number) {
    this.#source = source;
    this.#at = at;
    this.#len = len;
  }

  /** @internal Points a reused cursor at another frame. */
  moveTo(source: Source, at: number, len: number): this {
    this.#source = source;
    this.#at = at;
    this.#len = len;
    this.#payload = undefined;
    return this;
  }

  /** Bytes of the whole frame: header, capability and payload. Of an inflated frame, its inflated size. */
  get len(): number {
    return this.#len;
  }

  /** Bits of {@linkcode FLAGS}; never `COMP`, which is cleared when the payload is inflated. */
  get flags(): number {
    return this.#source.view.getUint16(this.#at + 6);
  }

  /** Status or application code. */
  get code(): number {
    return this.#source.view.getUint16(this.#at + 8);
  }

  /** The application protocol; 0 is HELLO. */
  get appProtoId(): number {
    return this.#source.view.getUint16(this.#at + 10);
  }

  /** The tenant, 128 bits. */
  get tenantId(): bigint {
    const { view } = this.#source;
    const high = view.getBigUint64(this.#at + 12);
    const low = view.getBigUint64(this.#at + 20);
    return high === 0n ? low : (high << 64n) | low;
  }

  /** Matches an answer to its request and a chunk to its stream. */
  get corrId(): bigint {
    return this.#source.view.getBigUint64(this.#at + 30);
  }

  /** Bytes of the capability. */
  get capabilityBytes(): number {
    return this.#source.view.getUint16(this.#at + 28);
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

  /** The payload, without a copy; empty where there is none. */
  get payload(): Uint8Array {
    if (this.#payload === undefined || !this.#source.live) this.#payload = this.#slicePayload();
    return this.#payload;
  }

  /** The payload in memory of its own. */
  copyPayload(): Uint8Array {
    return this.payload.slice();
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

  #slicePayload(): Uint8Array {
    const cap = this.#source.view.getUint16(this.#at + 28);
    const n = this.#len - HEADER_BYTES - cap;
    return n === 0 ? EMPTY : this.#source.slice(this.#at + HEADER_BYTES + cap, n);
  }
}
