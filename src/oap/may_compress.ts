/**
 * When a sender may set COMP; wire §6.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { frameLimit } from "./limits.ts";

/**
 * Whether a compressed payload may be sent: it must be smaller than the raw one, and every receiver's guard
 * must let it through: `raw ≤ 8 × compressed`, and `raw` at most the frame limit.
 *
 * @param rawLen Bytes before compression.
 * @param compressedLen Bytes after it.
 * @param options The receiver's frame limit, in bytes; can only be lowered. @default {1048576}
 * @returns `true` if COMP may be set.
 *
 * @example
 * ```ts
 * import { mayCompress } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(mayCompress(80, 10), true);
 * assert.equal(mayCompress(81, 10), false); // the guard would stop it
 * assert.equal(mayCompress(10, 10), false); // nothing gained
 * ```
 */
export function mayCompress(
  rawLen: number,
  compressedLen: number,
  options: { maxFrameBytes?: number } = {},
): boolean {
  return compressedLen < rawLen && rawLen <= CAPS.inflateRatio * compressedLen &&
    rawLen <= frameLimit(options.maxFrameBytes);
}
