/**
 * Inflating within a budget that is fixed before the first byte comes out; wire §6.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { CodecError } from "./codec_error.ts";
import { FLAGS, HEADER_BYTES } from "./frame.ts";
import { CODECS, GUARD } from "./abi.ts";
import { hot } from "./instance.ts";
import { limit } from "./limits.ts";

/** A compression format that the guard reads. On the wire only `zstd` occurs. */
export type Codec = "zstd" | "gzip" | "zlib" | "deflate";

/** How {@linkcode inflate} is bounded. */
export interface InflateOptions {
  /** The format; `deflate` is without any wrapper. */
  codec: Codec;
  /** Most bytes out. Can only be lowered. @default {1048576} */
  maxOutputBytes?: number;
  /** Most bytes out for each byte in. Can only be lowered. @default {8} */
  maxRatio?: number;
}

/**
 * Inflates bytes of a peer without trusting a size in them. The budget is
 * `min(maxRatio × bytes.length, maxOutputBytes)`; the input must be exactly one zstd frame, gzip member,
 * zlib or deflate stream, with nothing behind it; dictionaries are refused; wire §6.
 *
 * @param bytes The compressed bytes, at most 1 MiB.
 * @param options The format and the bounds.
 * @returns The inflated bytes, in memory of their own.
 * @throws {CodecError} `DecompressBoundExceeded` over the budget, `corrupt` or `unsupported`.
 * @throws {TransportError} `config_invalid` for a bound above its ceiling, `misuse` for an unknown codec.
 *
 * @example
 * ```ts
 * import { compress } from "@ron/transport/compress";
 * import { inflate } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const text = new TextEncoder().encode("as often as that, as often as this");
 * assert.deepEqual(inflate(compress(text, "gzip"), { codec: "gzip" }), text);
 * ```
 */
export function inflate(bytes: Uint8Array, options: InflateOptions): Uint8Array {
  const maxOutput = limit("maxOutputBytes", options.maxOutputBytes, 0, CAPS.frameBytes);
  const maxRatio = limit("maxRatio", options.maxRatio, 1, CAPS.inflateRatio);
  const codec = CODECS.indexOf(options.codec);
  if (codec < 0) {
    throw new TransportError(
      "misuse",
      `Cannot inflate ${options.codec}: one of ${CODECS.join(", ")} is wanted`,
      { op: "inflate" },
    );
  }
  if (bytes.length > CAPS.frameBytes) {
    throw new CodecError(
      "DecompressBoundExceeded",
      `Cannot inflate ${bytes.length} bytes: at most ${CAPS.frameBytes} are taken`,
      "inflate",
      "remote",
    );
  }
  const budget = Math.min(maxOutput, maxRatio * bytes.length);
  const out = hot().inflate(codec, bytes, budget, 0);
  if (typeof out !== "number") return out;
  switch (out) {
    case GUARD.CORRUPT:
      throw new CodecError(
        "corrupt",
        `Cannot inflate: the bytes are not one valid ${options.codec} stream that fills them`,
        "inflate",
        "remote",
      );
    case GUARD.UNSUPPORTED:
      throw new CodecError(
        "unsupported",
        `Cannot inflate: this ${options.codec} stream asks for what is not supported, such as a dictionary`,
        "inflate",
        "remote",
      );
    case GUARD.TOO_LARGE:
    case GUARD.DECLARED:
      throw new CodecError(
        "DecompressBoundExceeded",
        `Cannot inflate: ${bytes.length} bytes may become ${budget} at most, with a window of 8 MiB and work in proportion`,
        "inflate",
        "remote",
      );
    default:
      throw new TransportError("internal", "The WebAssembly module refuses the bounds", {
        op: "inflate",
        origin: "library",
      });
  }
}

/**
 * A compressed frame as if it had been sent plain: `COMP` cleared, `len` what it is now; wire §4.
 *
 * @param frame The whole frame.
 * @param maxFrameBytes Most bytes of the payload, beside 8 times its compressed size.
 * @returns The frame in memory of its own, or the fault.
 */
export function inflatePayload(
  frame: Uint8Array,
  maxFrameBytes: number,
): Uint8Array | "CodecError" | "DecompressBoundExceeded" {
  const head = HEADER_BYTES + ((frame[28] as number) << 8 | (frame[29] as number));
  const payload = frame.subarray(head);
  const out = payload.length === 0
    ? new Uint8Array(head)
    : hot().inflate(0, payload, maxFrameBytes, head);
  if (typeof out === "number") {
    return out === GUARD.TOO_LARGE || out === GUARD.DECLARED
      ? "DecompressBoundExceeded"
      : "CodecError";
  }
  out.set(frame.subarray(0, head));
  const view = new DataView(out.buffer);
  view.setUint32(0, out.length);
  view.setUint16(6, view.getUint16(6) & ~FLAGS.COMP);
  return out;
}
