/**
 * Faults of received bytes in words: what was wanted, what came, and the bound.
 *
 * @module
 */

import type { CodecFault } from "./codec_error.ts";
import { HEADER_BYTES } from "./frame.ts";

/** Faults by the numbers of the WebAssembly module. */
export const FAULT_CODES: readonly CodecFault[] = [
  "CodecError",
  "FrameTooLarge",
  "BadVersion",
  "BadFlags",
  "CapOnNonStart",
  "CapOutOfBounds",
  "TruncatedHeader",
  "CodecMissing",
  "DecompressBoundExceeded",
  "CodecError",
];

/** Faults of a compressed payload. */
export const EXPLAIN_INFLATE: Readonly<
  Record<"CodecMissing" | "CodecError" | "DecompressBoundExceeded", string>
> = {
  CodecMissing: "Cannot take a compressed frame: this end was made with inflate: false",
  CodecError:
    "Cannot inflate a payload: it must be exactly one valid zstd frame without a dictionary",
  DecompressBoundExceeded:
    "Cannot inflate a payload: it would pass 8 times its size or the largest frame",
};

/** A fault of the header at `at` of `bytes`. */
export function explain(fault: CodecFault, bytes: Uint8Array, at: number, max: number): string {
  const header = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const len = header.getUint32(0);
  const cap = header.getUint16(28);
  switch (fault) {
    case "FrameTooLarge":
      return `Cannot take a frame of ${len} bytes: at most ${max} are legal, and 0 never is`;
    case "BadVersion":
      return `Cannot take a frame of version ${header.getUint16(4)}: only 1 is known`;
    case "BadFlags":
      return `Cannot take flags 0x${header.getUint16(6).toString(16)}: bits 8 to 15 must be 0`;
    case "CapOnNonStart":
      return `Cannot take a capability of ${cap} bytes on a frame without START`;
    case "CapOutOfBounds":
      return `Cannot take a capability of ${cap} bytes in a frame of ${len}: it passes the frame's end`;
    default:
      return `Cannot take a frame of ${len} bytes: a header alone has ${HEADER_BYTES}`;
  }
}
