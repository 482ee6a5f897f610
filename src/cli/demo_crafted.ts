/**
 * Bytes that a receiver must refuse, made by hand: no encoder of this library would emit them.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { FLAGS } from "../oap/mod.ts";

/** Bytes out for each byte in of {@linkcode bomb}. */
export const BOMB_RATIO = 20_000;

const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const;
/** No declared size, no checksum, no dictionary; a window of 128 KiB. */
const ZSTD_HEAD = [0x00, 0x38] as const;
const RLE_BLOCK_BYTES = 4;
const MOST_BLOCK_OUTPUT = 131_072;

/** A header that declares one byte more than the largest frame; the rest is never sent. */
export function frameOverCap(): Uint8Array {
  return header(CAPS.frameBytes + 1, FLAGS.REQ);
}

/** A frame with a flag bit that has no meaning. */
export function unknownFlag(): Uint8Array {
  return header(CAPS.headerBytes, FLAGS.REQ | 0x0100);
}

/** 38 compressed bytes that would become 760 000: far below the frame cap, so only the ratio stops them. */
export function bomb(): Uint8Array {
  const blocks = 8;
  const compressed = ZSTD_MAGIC.length + ZSTD_HEAD.length + blocks * RLE_BLOCK_BYTES;
  return compressedFrame(runs(compressed * BOMB_RATIO, blocks));
}

/** A compressed payload that inflates to 8 times its size, plus `extra` bytes. */
export function eightTimes(extra: number): Uint8Array {
  const compressed = ZSTD_MAGIC.length + ZSTD_HEAD.length + RLE_BLOCK_BYTES;
  return compressedFrame(runs(compressed * CAPS.inflateRatio + extra, 1));
}

/** A zstd frame of run-length blocks, which together inflate to `output` bytes. */
function runs(output: number, blocks: number): Uint8Array {
  const each = Math.ceil(output / blocks);
  if (each > MOST_BLOCK_OUTPUT) throw new RangeError(`${each} bytes do not fit one block`);
  const body = Array.from({ length: blocks }, (_, i) => {
    const last = i === blocks - 1;
    const size = last ? output - each * (blocks - 1) : each;
    const head = (size << 3) | (1 << 1) | (last ? 1 : 0);
    return [head & 0xff, (head >> 8) & 0xff, (head >> 16) & 0xff, 0x2e];
  });
  return new Uint8Array([...ZSTD_MAGIC, ...ZSTD_HEAD, ...body.flat()]);
}

function compressedFrame(payload: Uint8Array): Uint8Array {
  const head = header(CAPS.headerBytes + payload.length, FLAGS.REQ | FLAGS.COMP);
  const frame = new Uint8Array(head.length + payload.length);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

function header(length: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(CAPS.headerBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  view.setUint16(4, 1);
  view.setUint16(6, flags);
  view.setUint16(10, 1);
  view.setBigUint64(30, 1n);
  return bytes;
}
