/**
 * What a frame is: its fields, its flags and what they mean; wire §2 and §3.
 *
 * @module
 */

/** Size of the fixed header in bytes. The capability and the payload follow it; wire §2. */
export const HEADER_BYTES = 38 as const;

/** The only version of the wire. */
export const VERSION = 1 as const;

/** The bits that have a meaning; all others must be 0. */
export const KNOWN_FLAGS = 0xff as const;

/** The names of the flags; see {@linkcode FLAGS}. */
export interface Flags {
  /** A request. */
  readonly REQ: 1;
  /** A response. */
  readonly RESP: 2;
  /** Neither: something that happened. */
  readonly EVENT: 4;
  /** Opens a stream; the only frame of it that may carry a capability. */
  readonly START: 8;
  /** Ends a stream. */
  readonly END: 16;
  /** The sender wants an acknowledgement. */
  readonly ACK_REQ: 32;
  /** The payload is one zstd frame. The decoder inflates it and clears the bit. */
  readonly COMP: 64;
  /** The payload is encrypted end to end; nothing in between may read it. */
  readonly APP_E2E: 128;
}

/**
 * The flag bits, frozen; wire §3. A sent frame has exactly one of `REQ`, `RESP` and `EVENT`.
 *
 * @example
 * ```ts
 * import { FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(FLAGS.REQ | FLAGS.START | FLAGS.END, 0b11001);
 * ```
 */
export const FLAGS: Flags = Object.freeze({
  REQ: 1,
  RESP: 2,
  EVENT: 4,
  START: 8,
  END: 16,
  ACK_REQ: 32,
  COMP: 64,
  APP_E2E: 128,
});

/** One frame to send, or a received one with memory of its own. `len` and `cap_len` are computed. */
export interface Frame {
  /** Bits of {@linkcode FLAGS}. */
  readonly flags: number;
  /** Status on a response, application code otherwise; 0 on requests. 16 bits. */
  readonly code: number;
  /** The application protocol, 16 bits; 0 is HELLO. */
  readonly appProtoId: number;
  /** The tenant, 128 bits; 0n where there is none. */
  readonly tenantId: bigint;
  /** Matches an answer to its request and a chunk to its stream, 64 bits. */
  readonly corrId: bigint;
  /** At most 65 535 bytes, only with `START`. Zero bytes are the same as none: `undefined`. */
  readonly capability?: Uint8Array | undefined;
  /** Zero bytes are the same as none; a decoded frame then has an empty array, never `undefined`. */
  readonly payload: Uint8Array;
  /** Version to encode. Anything but 1 is refused as `BadVersion`. @default {1} */
  readonly ver?: number;
}

/** The fields of a {@linkcode Frame} that a stream's chunks share. */
export type FrameHead = Omit<Frame, "payload">;

/** The payload of a frame that has none. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Whether the sender wants an acknowledgement.
 *
 * @param flags A frame's flags.
 * @returns `true` with `ACK_REQ`.
 *
 * @example
 * ```ts
 * import { FLAGS, wantsAck } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(wantsAck(FLAGS.REQ | FLAGS.ACK_REQ), true);
 * ```
 */
export function wantsAck(flags: number): boolean {
  return (flags & FLAGS.ACK_REQ) !== 0;
}

/**
 * Whether nothing of this stream follows.
 *
 * @param flags A frame's flags.
 * @returns `true` with `END`.
 *
 * @example
 * ```ts
 * import { FLAGS, terminal } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(terminal(FLAGS.REQ | FLAGS.END), true);
 * ```
 */
export function terminal(flags: number): boolean {
  return (flags & FLAGS.END) !== 0;
}

/**
 * Whether nothing is sent back.
 *
 * @param flags A frame's flags.
 * @returns `true` with `EVENT` and without `ACK_REQ`.
 *
 * @example
 * ```ts
 * import { fireAndForget, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(fireAndForget(FLAGS.EVENT), true);
 * assert.equal(fireAndForget(FLAGS.EVENT | FLAGS.ACK_REQ), false);
 * ```
 */
export function fireAndForget(flags: number): boolean {
  return (flags & (FLAGS.EVENT | FLAGS.ACK_REQ)) === FLAGS.EVENT;
}
