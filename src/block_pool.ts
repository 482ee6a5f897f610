/**
 * Reusable blocks in which small writes are gathered, shared by the connections of a transport.
 *
 * A connection holds a block only while it has small items to send, so an idle one holds none; and a small
 * one unless it sends much, so that a few bytes to each of many connections are not 64 KiB for each.
 *
 * @module
 */

/** Size of a large block: what small items are coalesced up to, in bytes. */
export const BLOCK_BYTES = 65_536;
/** Size of a small block, in bytes. */
export const SMALL_BLOCK_BYTES = 4_096;

/** A block, and its `DataView` made once. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Bounded stacks of free blocks. */
export class BlockPool {
  readonly #large: Block[] = [];
  readonly #small: Block[] = [];
  readonly #keep: number;

  /**
   * @param keep How many free large blocks to keep, and small ones of as many bytes; more are left to the
   * garbage collector.
   */
  constructor(keep = 32) {
    this.#keep = keep;
  }

  /** A block whose content is of no meaning. */
  take(large: boolean): Block {
    const free = (large ? this.#large : this.#small).pop();
    if (free !== undefined) return free;
    const bytes = new Uint8Array(large ? BLOCK_BYTES : SMALL_BLOCK_BYTES);
    return { bytes, view: new DataView(bytes.buffer) };
  }

  /** Takes a block back. The caller, and the runtime, no longer touch it. */
  give(block: Block): void {
    const large = block.bytes.length === BLOCK_BYTES;
    const free = large ? this.#large : this.#small;
    const keep = large ? this.#keep : this.#keep * (BLOCK_BYTES / SMALL_BLOCK_BYTES);
    if (free.length < keep) free.push(block);
  }
}
