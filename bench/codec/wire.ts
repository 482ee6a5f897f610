/**
 * Streams of equal frames, cut as a socket would.
 *
 * @module
 */

import { FLAGS } from "../../src/oap/mod.ts";
import { frame, noise, repeated } from "../data.ts";

/** Bytes of one read. */
export const READ_BYTES = 65_536;

/** Frames and the reads they arrive in. */
export interface Wire {
  /** Payload of each. */
  readonly payload: number;
  /** Number of frames. */
  readonly frames: number;
  /** All bytes. */
  readonly bytes: Uint8Array;
  /** The same in reads of 64 KiB. */
  readonly reads: readonly Uint8Array[];
}

/** About `total` bytes of frames with `payload` bytes each. */
export function wire(payload: number, total: number = 2 << 20): Wire {
  const frames = Math.max(1, Math.floor(total / (38 + payload)));
  const one = { ...frame(noise(payload), FLAGS.EVENT), tenantId: 0x1234_5678_9abc_def0_1122n };
  const bytes = repeated(one, frames);
  return { payload, frames, bytes, reads: cut(bytes, READ_BYTES) };
}

/** Views of bytes, of one size but the last. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** The same frames for a decoder whose length does not count itself. */
export function withoutOwnLength({ bytes, payload }: Wire): Uint8Array[] {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at < copy.length; at += 38 + payload) view.setUint32(at, 34 + payload);
  return cut(copy, READ_BYTES);
}
