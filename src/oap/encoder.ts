/**
 * The encoder: frames to bytes.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { CodecError } from "./codec_error.ts";
import { FLAGS, type Frame, HEADER_BYTES, KNOWN_FLAGS, VERSION } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import { frameLimit } from "./limits.ts";

const KINDS = FLAGS.REQ | FLAGS.RESP | FLAGS.EVENT;
/** What most ids are below: engines compare with a bound of 63 bits several times as fast as with larger ones. */
const FAST_MAX = 0x7fff_ffff_ffff_ffffn;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const U128_MAX = (1n << 128n) - 1n;

/** How {@linkcode encodeFrame} is bounded. */
export interface EncodeOptions {
  /** Largest frame, in bytes. Can only be lowered. @default {1048576} */
  maxFrameBytes?: number;
}

/**
 * Encodes one frame. `len` and `cap_len` are computed; wire §2.
 *
 * Checks run in this order, and the first that fails is thrown (wire §4): capability above 65 535 bytes
 * (`CapOutOfBounds`), frame above the limit (`FrameTooLarge`), capability without START (`CapOnNonStart`),
 * unknown flags or not exactly one of REQ, RESP and EVENT (`BadFlags`), a version (`BadVersion`).
 *
 * @param frame The frame.
 * @param options The bound.
 * @returns The bytes, in memory of their own.
 * @throws {CodecError} The rule that the frame breaks.
 * @throws {TransportError} `misuse` for a number or bigint that does not fit its field.
 *
 * @example
 * ```ts
 * import { encodeFrame, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeFrame({
 *   flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
 *   code: 0,
 *   appProtoId: 100,
 *   tenantId: 0xCCn,
 *   corrId: 99n,
 *   capability: new TextEncoder().encode("cap"),
 *   payload: new TextEncoder().encode("hi"),
 * });
 * assert.equal(bytes.length, 38 + 3 + 2);
 * ```
 */
export function encodeFrame(frame: Frame, options: EncodeOptions = {}): Uint8Array {
  const bytes = new Uint8Array(checkFrame(frame, frameLimit(options.maxFrameBytes)));
  encodeInto(bytes, new DataView(bytes.buffer), 0, frame);
  return bytes;
}

/**
 * Refuses what may not be sent.
 *
 * @param frame The frame.
 * @param maxFrameBytes The limit, known to be legal.
 * @returns The frame's size in bytes.
 * @throws {CodecError} See {@linkcode encodeFrame}.
 * @throws {TransportError} `misuse` for a number or bigint that does not fit its field.
 */
export function checkFrame(frame: Frame, maxFrameBytes: number): number {
  const { flags } = frame;
  const cap = frame.capability?.length ?? 0;
  const payload = frame.payload?.length ?? 0;
  const len = HEADER_BYTES + cap + payload;
  const kind = flags & KINDS;
  if (
    len > maxFrameBytes || cap !== 0 || (flags & ~KNOWN_FLAGS) !== 0 || kind === 0 ||
    (kind & (kind - 1)) !== 0 ||
    (frame.ver ?? VERSION) !== VERSION || flags >>> 0 !== flags
  ) {
    refuse(flags, frame.ver ?? VERSION, cap, len, maxFrameBytes);
  }
  // A decoded frame's numbers come out of fields of the same size.
  if (!(frame instanceof FrameView)) {
    checkFields(frame.code, frame.appProtoId, frame.tenantId, frame.corrId);
  }
  return len;
}

/** The checks in their order; returns when the only peculiarity is a legal capability. */
function refuse(flags: number, version: number, cap: number, len: number, max: number): void {
  const fail = (
    fault: "CapOutOfBounds" | "FrameTooLarge" | "CapOnNonStart" | "BadFlags" | "BadVersion",
    why: string,
  ): never => {
    throw new CodecError(fault, `Cannot encode a frame ${why}`, "encode");
  };
  if (cap > CAPS.capabilityBytes) {
    fail(
      "CapOutOfBounds",
      `with a capability of ${cap} bytes: at most ${CAPS.capabilityBytes} fit`,
    );
  }
  if (len > max) {
    fail("FrameTooLarge", `of ${len} bytes: the limit is ${max}; use fragment() or sendStream()`);
  }
  if (cap > 0 && (flags & FLAGS.START) === 0) {
    fail("CapOnNonStart", "with a capability but without START: add the flag");
  }
  if ((flags & ~KNOWN_FLAGS) !== 0 || flags >>> 0 !== flags) {
    fail("BadFlags", `with flags ${flags}: bits 8 to 15 must be 0`);
  }
  const kind = flags & KINDS;
  if (kind === 0 || (kind & (kind - 1)) !== 0) {
    fail("BadFlags", `with flags ${flags}: exactly one of REQ, RESP and EVENT is wanted`);
  }
  if (version !== VERSION) fail("BadVersion", `of version ${version}: only ${VERSION} is known`);
}

/**
 * Writes a frame that {@linkcode checkFrame} has passed.
 *
 * @param bytes Where to.
 * @param view The same memory.
 * @param at Where in it.
 * @param frame The frame.
 * @returns Bytes written.
 */
export function encodeInto(bytes: Uint8Array, view: DataView, at: number, frame: Frame): number {
  const { payload } = frame;
  const n = payload?.length ?? 0;
  const head = encodeHead(bytes, view, at, frame, frame.flags, n);
  if (n > 0) bytes.set(payload, at + head);
  return head + n;
}

/**
 * Writes the header and capability of a checked frame, with these flags and a payload of `payloadBytes`;
 * returns their size.
 */
export function encodeHead(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  frame: Omit<Frame, "payload">,
  flags: number,
  payloadBytes: number,
): number {
  const { code, appProtoId, capability } = frame;
  const cap = capability?.length ?? 0;
  view.setUint32(at, HEADER_BYTES + cap + payloadBytes);
  view.setUint32(at + 4, VERSION << 16 | flags);
  encodeIds(view, at, frame);
  view.setUint32(at + 8, code << 16 | appProtoId);
  view.setUint16(at + 28, cap);
  if (cap > 0) bytes.set(capability as Uint8Array, at + HEADER_BYTES);
  return HEADER_BYTES + cap;
}

/** Writes what answers are matched by into the header at `at`: protocol, tenant and corr_id. */
export function encodeIds(
  view: DataView,
  at: number,
  { appProtoId, tenantId, corrId }: Pick<Frame, "appProtoId" | "tenantId" | "corrId">,
): void {
  view.setUint16(at + 10, appProtoId);
  // A shift makes a bigint, and most tenants fit 64 bits.
  if (tenantId <= FAST_MAX) view.setFloat64(at + 12, 0);
  else view.setBigUint64(at + 12, tenantId >> 64n);
  view.setBigUint64(at + 20, tenantId);
  view.setBigUint64(at + 30, corrId);
}

/** Refuses numbers that do not fit their fields. */
function checkFields(code: number, appProtoId: number, tenantId: bigint, corrId: bigint): void {
  if ((code & 0xffff) !== code) misfit("code", code, "16 bits, unsigned");
  if ((appProtoId & 0xffff) !== appProtoId) misfit("appProtoId", appProtoId, "16 bits, unsigned");
  if (typeof tenantId !== "bigint" || tenantId < 0n || above(tenantId, U128_MAX)) {
    misfit("tenantId", tenantId, "a bigint of 128 bits, unsigned");
  }
  if (typeof corrId !== "bigint" || corrId < 0n || above(corrId, U64_MAX)) {
    misfit("corrId", corrId, "a bigint of 64 bits, unsigned");
  }
}

function above(id: bigint, most: bigint): boolean {
  return id > FAST_MAX && id > most;
}

function misfit(field: string, value: unknown, wanted: string): never {
  throw new TransportError(
    "misuse",
    `Cannot encode ${field} ${String(value)}: ${wanted} is wanted`,
    { op: "encode" },
  );
}
