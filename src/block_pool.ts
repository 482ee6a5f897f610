/**
 * Reusable 64 KiB blocks in which small writes are gathered, shared by the connections of a transport.
 *
 * A connection holds a block only while it has small items to send, so an idle one holds none.
 *
 * @module
 */

/** Size of one block: what small items are coalesced up to, in bytes. */
export const BLOCK_BYTES = 65_536;

/** A block, and its `DataView` made once. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Size of {@linkcode BlockPool.scratch}, in bytes: four chunks of a stream, with room for their headers. */
export const SCRATCH_BYTES = 263_168;

/** A bounded stack of free blocks. */
export class BlockPool {
  readonly #free: Block[] = [];
  readonly #keep: number;
  #scratch: Uint8Array | undefined = undefined;

  /** @param keep How many free blocks to keep; more are left to the garbage collector. */
  constructor(keep = 32) {
    this.#keep = keep;
  }

  /** Memory for the length of one synchronous call, whose content is of no meaning. */
  get scratch(): Uint8Array {
    return this.#scratch ??= new Uint8Array(SCRATCH_BYTES);
  }

  /** A block whose content is of no meaning. */
  take(): Block {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const bytes = new Uint8Array(BLOCK_BYTES);
    return { bytes, view: new DataView(bytes.buffer) };
  }

  /** Takes a block back. The caller, and the runtime, no longer touch it. */
  give(block: Block): void {
    if (this.#free.length < this.#keep) this.#free.push(block);
  }
}
