/**
 * Gives memory back that nobody needs any more.
 *
 * A buffer that is let go of stays until the garbage collector comes, and on Bun one that has lived for a
 * while stays until it looks at everything: a thousand frames of 1 MiB that were never finished were still
 * there seconds after their connections, ten times what the byte budget had ever allowed at once.
 *
 * @module
 */

/** Below this, in bytes, the call costs more than the collector does. */
const LEAST_BYTES = 16_384;

/** Node has it from version 22 on. */
const { transfer } = ArrayBuffer.prototype as {
  transfer?: (this: ArrayBufferLike, length: number) => unknown;
};

/**
 * Frees memory now. From then on `bytes` is empty, so nobody else may be using it. Where the runtime cannot,
 * or it is small, or `bytes` is only a part of it, it is left to the collector.
 */
export function release(bytes: Uint8Array): void {
  if (bytes.length < LEAST_BYTES || transfer === undefined) return;
  const { buffer } = bytes;
  if (buffer.byteLength === bytes.length) transfer.call(buffer, 0);
}
