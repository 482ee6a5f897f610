/**
 * What is kept of received memory.
 *
 * @module
 */

/**
 * Bytes that outlast the call they came in: as they are, where they may be kept and are at least half of the
 * memory below them, else a copy. A few bytes would keep a whole receive otherwise, and count for themselves only.
 *
 * @param owned Whether the memory is the receiver's.
 */
export function keep(bytes: Uint8Array, owned: boolean): Uint8Array {
  // Not `slice`: runtimes hand over their `Buffer`, whose `slice` copies nothing.
  return owned && 2 * bytes.length >= bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
