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
 * Its output may hold an empty second frame (Deno 2.9.5); who sends it on the wire cuts that off.
 *
 * @returns A function that compresses, or `undefined` (Node 20).
 */
export async function nativeZstd(): Promise<((bytes: Uint8Array) => Uint8Array) | undefined> {
  const bun = (globalThis as { Bun?: Zlib }).Bun;
  const zlib: Zlib = bun ?? await import("node:zlib") as unknown as Zlib;
  const { zstdCompressSync } = zlib;
  return typeof zstdCompressSync === "function" ? (bytes) => zstdCompressSync(bytes) : undefined;
}
