/**
 * The decoder that is written first: reads are joined to what is left over, frames are cut off the front one by
 * one, and each is an object with all its fields.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A frame with every field read. */
export interface EagerFrame {
  readonly flags: number;
  readonly code: number;
  readonly appProtoId: number;
  readonly tenantId: bigint;
  readonly corrId: bigint;
  readonly payload: Uint8Array;
}

/** Joins and cuts. */
export class ConcatDecoder {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): EagerFrame[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const frames: EagerFrame[] = [];
    while (this.#pending.length >= 38) {
      const b = this.#pending;
      const len = b.readUInt32BE(0);
      if (b.readUInt16BE(4) !== 1 || len < 38 || len > 1_048_576) throw new Error("malformed");
      if (b.length < len) break;
      frames.push({
        flags: b.readUInt16BE(6),
        code: b.readUInt16BE(8),
        appProtoId: b.readUInt16BE(10),
        tenantId: b.readBigUInt64BE(12) << 64n | b.readBigUInt64BE(20),
        corrId: b.readBigUInt64BE(30),
        payload: b.subarray(38 + b.readUInt16BE(28), len),
      });
      this.#pending = b.subarray(len);
    }
    return frames;
  }
}
