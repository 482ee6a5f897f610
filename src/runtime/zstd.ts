/**
 * The runtime's own zstd encoder, where it has one. There is none in the WASM module.
 *
 * @module
 */

interface Zlib {
  zstdCompressSync?: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Finds the runtime's zstd encoder.
 *
 * @returns A function that makes one zstd frame, or `undefined` (Node 20).
 */
export async function nativeZstd(): Promise<((bytes: Uint8Array) => Uint8Array) | undefined> {
  const bun = (globalThis as { Bun?: Zlib }).Bun;
  const zlib: Zlib = bun ?? await import("node:zlib") as unknown as Zlib;
  const { zstdCompressSync } = zlib;
  return typeof zstdCompressSync === "function"
    ? (bytes) => oneFrame(zstdCompressSync(bytes))
    : undefined;
}

/**
 * The first frame of an encoder's output. Deno 2.9.5 puts an empty second frame behind some outputs
 * above 16 KiB, and a receiver must refuse a payload of two.
 */
export function oneFrame(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, frameLength(bytes));
}

/** Length of the zstd frame at the start, found by stepping over its blocks (RFC 8878, 3.1.1). */
function frameLength(bytes: Uint8Array): number {
  const descriptor = bytes[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionaryField = [0, 1, 2, 4][descriptor & 3]!;
  let at = 5 + (singleSegment ? 0 : 1) + dictionaryField + sizeField;
  for (let last = false; !last && at + 3 <= bytes.length;) {
    const header = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
    const repeatsOneByte = (header >> 1 & 3) === 1;
    last = (header & 1) !== 0;
    at += 3 + (repeatsOneByte ? 1 : header >> 3);
  }
  return at + ((descriptor & 4) === 0 ? 0 : 4);
}
