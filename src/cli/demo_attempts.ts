/**
 * What the demonstration tries and what must come of it: the one table of expectations.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { bomb, BOMB_RATIO, eightTimes, frameOverCap, unknownFlag } from "./demo_crafted.ts";

/** What must be seen. */
export interface Expected {
  /** Kind of the close reason or error. */
  readonly kind: string;
  /** Finer: the codec's fault, the deadline's operation, or the configuration key. */
  readonly reason: string;
  /** The receiver's counter that must go up by exactly one, dotted; `null` where no connection is made. */
  readonly counter: string | null;
}

/** One thing to try. */
export interface Attempt {
  readonly id: string;
  readonly tried: string;
  readonly expected: Expected;
  readonly how:
    | { readonly by: "bytes"; readonly bytes: () => Uint8Array }
    | { readonly by: "silence" }
    | { readonly by: "configuration" }
    | { readonly by: "argument" };
}

/** The attempts, in the order in which they are made. */
export const ATTEMPTS: readonly Attempt[] = Object.freeze([
  {
    id: "frame_over_cap",
    tried: `frame of ${CAPS.frameBytes + 1} B declared (cap + 1), payload never sent`,
    expected: { kind: "too_large", reason: "FrameTooLarge", counter: "rejected.too_large" },
    how: { by: "bytes", bytes: frameOverCap },
  },
  {
    id: "unknown_flag",
    tried: "frame with the unknown flag bit 8",
    expected: { kind: "malformed", reason: "BadFlags", counter: "malformed.BadFlags" },
    how: { by: "bytes", bytes: unknownFlag },
  },
  {
    id: "bomb",
    tried: `zstd bomb of ${BOMB_RATIO} : 1`,
    expected: {
      kind: "too_large",
      reason: "DecompressBoundExceeded",
      counter: "malformed.DecompressBoundExceeded",
    },
    how: { by: "bytes", bytes: bomb },
  },
  {
    id: "ratio_plus_one",
    tried: `zstd payload of ${CAPS.inflateRatio} x its size + 1 B`,
    expected: {
      kind: "too_large",
      reason: "DecompressBoundExceeded",
      counter: "malformed.DecompressBoundExceeded",
    },
    how: { by: "bytes", bytes: () => eightTimes(1) },
  },
  {
    id: "raised_cap",
    tried: `configuration with max_frame_bytes of ${CAPS.frameBytes + 1} B`,
    expected: { kind: "config_invalid", reason: "limits.max_frame_bytes", counter: null },
    how: { by: "configuration" },
  },
  {
    id: "raised_argument",
    tried: "the same three limits as arguments to the WebAssembly module",
    expected: { kind: "refused", reason: "index, chunk, guard", counter: null },
    how: { by: "argument" },
  },
  {
    id: "silent_handshake",
    tried: "client that connects and stays silent through the TLS handshake",
    expected: { kind: "timeout", reason: "handshake", counter: "timeouts.handshake" },
    how: { by: "silence" },
  },
]);
