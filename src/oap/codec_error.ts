/**
 * The error of the codec: which rule of the wire was broken, and what to answer.
 *
 * @module
 */

import { type ErrorOrigin, TransportError } from "../errors.ts";

/** The rule that was broken; wire §4, and §6 for the last two. */
export type CodecFault =
  | "FrameTooLarge"
  | "BadVersion"
  | "BadFlags"
  | "CapOnNonStart"
  | "CapOutOfBounds"
  | "TruncatedHeader"
  | "CodecMissing"
  | "DecompressBoundExceeded"
  | "CodecError"
  | "BadHello"
  | "corrupt"
  | "unsupported";

/** The label of `oap_rejects_total` that a refusal counts under. */
export type CodecReason =
  | "frame_oversize"
  | "bad_hello"
  | "header_malformed"
  | "truncated"
  | "unknown_envelope"
  | "credit_violation"
  | "missing_obj";

/** Every {@linkcode CodecReason}, frozen. */
export const CODEC_REASONS: readonly CodecReason[] = Object.freeze([
  "frame_oversize",
  "unknown_envelope",
  "header_malformed",
  "credit_violation",
  "missing_obj",
  "truncated",
  "bad_hello",
]);

/** What a fault implies. */
export interface FaultInfo {
  /** The kind of the {@linkcode CodecError}. */
  readonly kind: "malformed" | "too_large";
  /** Label of `oap_rejects_total`. */
  readonly reason: CodecReason;
  /** Status code to answer with, where there is somebody to answer. */
  readonly status: 400 | 413;
}

/**
 * Every fault with its kind, reject reason and status, frozen.
 *
 * @example
 * ```ts
 * import { FAULTS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.equal(FAULTS.FrameTooLarge.status, 413);
 * assert.equal(FAULTS.BadFlags.reason, "header_malformed");
 * ```
 */
export const FAULTS: Readonly<Record<CodecFault, FaultInfo>> = Object.freeze({
  FrameTooLarge: info("too_large", "frame_oversize"),
  BadVersion: info("malformed", "bad_hello"),
  BadFlags: info("malformed", "header_malformed"),
  CapOnNonStart: info("malformed", "header_malformed"),
  CapOutOfBounds: info("malformed", "header_malformed"),
  TruncatedHeader: info("malformed", "truncated"),
  CodecMissing: info("malformed", "header_malformed"),
  DecompressBoundExceeded: info("too_large", "frame_oversize"),
  CodecError: info("malformed", "header_malformed"),
  BadHello: info("malformed", "bad_hello"),
  corrupt: info("malformed", "header_malformed"),
  unsupported: info("malformed", "header_malformed"),
});

function info(kind: FaultInfo["kind"], reason: CodecReason): FaultInfo {
  return Object.freeze({ kind, reason, status: kind === "too_large" ? 413 : 400 });
}

/**
 * Bytes, or a frame to be encoded, break a rule of the wire.
 *
 * Thrown by the encoding functions, and the value of `decoder.error` and of a broken connection's cause.
 *
 * @example
 * ```ts
 * import { CodecError, Decoder } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const decoder = new Decoder();
 * decoder.push(new Uint8Array(38).fill(255));
 * assert.ok(decoder.error instanceof CodecError);
 * assert.equal(decoder.error.fault, "BadFlags");
 * assert.equal(decoder.error.status, 400);
 * ```
 */
export class CodecError extends TransportError {
  /** `too_large` for what passes a ceiling, else `malformed`. */
  declare readonly kind: "malformed" | "too_large";
  /** The rule that was broken. */
  override readonly fault: CodecFault;
  /** Label of `oap_rejects_total`. */
  readonly reason: CodecReason;
  /** Status code to answer with. */
  readonly status: 400 | 413;

  /**
   * Makes the error; kind, reason and status follow from the fault.
   *
   * @param fault The rule that was broken.
   * @param message What was wanted, what was given, the bound and the remedy.
   * @param op The operation: `decode`, `encode`, `inflate` or `hello`.
   * @param origin Who caused it: `remote` for received bytes.
   */
  constructor(fault: CodecFault, message: string, op: string, origin: ErrorOrigin = "local") {
    super(FAULTS[fault].kind, message, { op, origin });
    this.name = "CodecError";
    this.fault = fault;
    this.reason = FAULTS[fault].reason;
    this.status = FAULTS[fault].status;
  }
}
