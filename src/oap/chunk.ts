/**
 * How a body becomes pieces, and pieces become frames; wire §5.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { checkFrame } from "./encoder.ts";
import { EMPTY, FLAGS, type Frame, type FrameHead, HEADER_BYTES } from "./frame.ts";
import { frameLimit, limit } from "./limits.ts";

/** How a body divides into chunks. */
export interface ChunkPlan {
  /** Number of chunks. */
  readonly count: number;
  /** How many of them are of full size. */
  readonly full: number;
  /** Bytes of the last one; 0 of an empty body. */
  readonly last: number;
}

/**
 * How many chunks a body has. All but the last are of full size.
 *
 * @param len Bytes of the body.
 * @param chunkBytes Bytes of a chunk, at most 65 536.
 * @returns The number of chunks and the size of the last.
 * @throws {TransportError} `config_invalid` for a chunk above the ceiling, `misuse` for a length that is none.
 *
 * @example
 * ```ts
 * import { chunk } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(chunk(131_073, 65_536), { count: 3, full: 2, last: 1 });
 * ```
 */
export function chunk(len: number, chunkBytes: number = CAPS.chunkBytes): ChunkPlan {
  limit("chunkBytes", chunkBytes, 1, CAPS.chunkBytes);
  if (!Number.isSafeInteger(len) || len < 0) {
    throw new TransportError(
      "misuse",
      `Cannot divide ${len} bytes: an integer from 0 on is wanted`,
      { op: "chunk" },
    );
  }
  const full = Math.floor(len / chunkBytes);
  const rest = len % chunkBytes;
  return {
    count: full + (rest > 0 ? 1 : 0),
    full,
    last: rest > 0 || len === 0 ? rest : chunkBytes,
  };
}

/** How {@linkcode fragment} is bounded. */
export interface FragmentOptions {
  /** Largest frame, in bytes. Can only be lowered. @default {1048576} */
  maxFrameBytes?: number;
}

/**
 * Splits a payload into the fewest frames: every frame but the last is of the largest legal size. The first
 * has START and the capability, the last END, a single one both; an empty payload is one empty frame. All
 * other flags are repeated. Payloads are views of `payload`, not copies.
 *
 * @param payload The whole body.
 * @param head The fields that all frames share; START and END are set here, COMP must not be.
 * @param options The bound.
 * @returns The frames, in order.
 * @throws {CodecError} `CapOutOfBounds` or `FrameTooLarge` when the capability leaves no room, `BadFlags`.
 * @throws {TransportError} `misuse` for a field that does not fit.
 *
 * @example
 * ```ts
 * import { FLAGS, fragment } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const head = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
 * const frames = fragment(new Uint8Array(250), head, { maxFrameBytes: 138 });
 * assert.deepEqual(frames.map((frame) => frame.payload.length), [100, 100, 50]);
 * ```
 */
export function fragment(
  payload: Uint8Array,
  head: FrameHead,
  options: FragmentOptions = {},
): Frame[] {
  const max = frameLimit(options.maxFrameBytes);
  const { code, appProtoId, tenantId, corrId, capability } = head;
  const flags = head.flags & ~(FLAGS.START | FLAGS.END);
  const cap = capability?.length ?? 0;
  checkFrame({ ...head, flags: head.flags | FLAGS.START, payload: EMPTY }, max);
  if ((flags & FLAGS.COMP) !== 0) {
    throw new TransportError(
      "misuse",
      "Cannot fragment with COMP: it is decided for each frame, never across frames",
      { op: "encode" },
    );
  }
  if (max === HEADER_BYTES && payload.length > 0) {
    throw new TransportError(
      "misuse",
      `Cannot fragment: frames of ${max} bytes have no room for a payload`,
      { op: "encode" },
    );
  }
  const frames: Frame[] = [];
  let at = 0;
  do {
    const first = at === 0 && frames.length === 0;
    const end = Math.min(payload.length, at + max - HEADER_BYTES - (first ? cap : 0));
    const edges = (first ? FLAGS.START : 0) | (end === payload.length ? FLAGS.END : 0);
    const piece = payload.subarray(at, end);
    const frame = { flags: flags | edges, code, appProtoId, tenantId, corrId, payload: piece };
    frames.push(first && cap > 0 ? { ...frame, capability } : frame);
    at = end;
  } while (at < payload.length);
  return frames;
}
