/**
 * Compression for callers outside OAP: what it makes, `inflate` of `@ron/transport/oap` reads.
 *
 * Never use the library underneath to inflate bytes of a peer: given a fixed output it truncates silently.
 *
 * @example
 * ```ts
 * import { compress } from "@ron/transport/compress";
 * import { inflate } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const text = new TextEncoder().encode("the same again, and the same again");
 * const packed = compress(text, "zlib");
 * assert.deepEqual(inflate(packed, { codec: "zlib" }), text);
 * ```
 *
 * @module
 */

import { deflateSync, gzipSync, zlibSync } from "fflate";
import { TransportError } from "../errors.ts";

/** A format that can be written. The wire's own, zstd, is not among them. */
export type CompressCodec = "gzip" | "zlib" | "deflate";

/**
 * Compresses bytes, at once and on this thread.
 *
 * The same bytes always give the same result: the gzip header carries no time. A result that is less than
 * an eighth of the input is refused by a default `inflate`, as by any receiver's guard (wire §6).
 *
 * @param bytes Any bytes.
 * @param codec The format; `deflate` is without any wrapper.
 * @returns The compressed bytes.
 * @throws {TransportError} `misuse` for an unknown codec.
 *
 * @example
 * ```ts
 * import { compress } from "@ron/transport/compress";
 * import assert from "node:assert/strict";
 *
 * assert.ok(compress(new Uint8Array(1000), "gzip").length < 100);
 * ```
 */
export function compress(bytes: Uint8Array, codec: CompressCodec): Uint8Array {
  switch (codec) {
    case "gzip":
      return gzipSync(bytes, { mtime: 0 });
    case "zlib":
      return zlibSync(bytes);
    case "deflate":
      return deflateSync(bytes);
    default:
      throw new TransportError(
        "misuse",
        `Cannot compress to ${String(codec)}: one of gzip, zlib, deflate is wanted`,
        { op: "compress" },
      );
  }
}
