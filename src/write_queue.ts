/**
 * What a writer has to send, in its order, and the memory it lies in.
 *
 * Small items are gathered in blocks, large ones stay where they are: either is a run of memory. A run
 * leaves when the runtime no longer reads it. Everything is counted here, towards the inbox's bounds and
 * the byte budget.
 *
 * @module
 */

import { type Block, type BlockPool, SMALL_BLOCK_BYTES } from "./block_pool.ts";
import type { ByteAccount } from "./limits/byte_account.ts";
import type { WriteDone } from "./sink.ts";

/**
 * One run of memory to send. Invariant: `0 <= released <= taken <= end <= bytes.length`, where
 * `taken` bytes went to the runtime and `released` of them are free again.
 */
export interface Run {
  readonly bytes: Uint8Array;
  readonly block: Block | undefined;
  readonly done: WriteDone | undefined;
  items: number;
  released: number;
  taken: number;
  end: number;
}

/** See the module. */
export class WriteQueue {
  /** Items queued, or lent to the runtime. */
  items = 0;
  /** Bytes of these. */
  bytes = 0;
  /** Bytes that are taken and not released. */
  lent = 0;
  readonly #most: number;
  readonly #pool: BlockPool;
  readonly #account: ByteAccount | undefined;
  readonly #runs: Run[] = [];
  /** Number of the first run that is not wholly taken. */
  #next = 0;
  #block: Block | undefined;
  /** Whether the last block was outgrown: the next one is large. */
  #large = false;
  /** See {@linkcode WriteQueue.allow}. */
  #allowed = 0;

  /** @param most Most items. @param pool Where blocks come from. @param account What the bytes count towards. */
  constructor(most: number, pool: BlockPool, account: ByteAccount | undefined) {
    this.#most = most;
    this.#pool = pool;
    this.#account = account;
  }

  /** Runs, those that are lent included. */
  get length(): number {
    return this.#runs.length;
  }

  /** Runs that are not wholly taken. */
  get pending(): number {
    return this.#runs.length - this.#next;
  }

  /** The run to send next. */
  get next(): Run | undefined {
    return this.#runs[this.#next];
  }

  /** The block that was last reserved from. */
  get block(): Block {
    return this.#block!;
  }

  /** Bytes that the runtime has not taken. */
  get unsent(): number {
    let n = 0;
    for (let i = this.#next; i < this.#runs.length; i++) {
      n += this.#runs[i]!.end - this.#runs[i]!.taken;
    }
    return n;
  }

  /** As {@linkcode WriteQueue.reserve} within what was allowed; -1 beyond that. */
  reserveAllowed(n: number): number {
    if (n > this.#allowed || this.items >= this.#most) return -1;
    this.#allowed -= n;
    return this.#add(this.#runs[this.#runs.length - 1]!, n);
  }

  /**
   * Lets {@linkcode WriteQueue.reserveAllowed} go on in the block where `n` bytes fit: the caller has seen
   * that nothing stands in the way, and says 0 when something may.
   */
  allow(n: number): void {
    this.#allowed = 0;
    const last = this.#runs[this.#runs.length - 1];
    // One that is wholly taken is not next any more: what joined it would not be sent.
    if (n > 0 && last?.block !== undefined && this.pending > 0) {
      this.#allowed = Math.min(n, last.bytes.length - last.end);
    }
  }

  /** Makes room for a small item in a block; returns where. */
  reserve(n: number): number {
    let run = this.#runs[this.#runs.length - 1];
    if (run?.block === undefined || run.end + n > run.bytes.length) {
      if (run?.block !== undefined || n > SMALL_BLOCK_BYTES) this.#large = true;
      const block = this.#pool.take(this.#large);
      run = this.#append(block.bytes, block, undefined, 0, 0);
    }
    // A run that was wholly taken before gets a tail: it is the next to send again.
    if (this.#next === this.#runs.length) this.#next--;
    this.#block = run.block;
    return this.#add(run, n);
  }

  /**
   * Adds one item in up to two runs: the head joins small items before it where it can, the body stays
   * where it is until `done`.
   */
  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): void {
    const tail = this.#runs[this.#runs.length - 1];
    if (head !== undefined) {
      if (tail?.block !== undefined && tail.end + head.length <= tail.bytes.length) {
        const at = this.reserve(head.length);
        this.#block!.bytes.set(head, at);
        tail.items--;
        this.items--;
      } else {
        this.#append(head, undefined, undefined, head.length, 0);
      }
    }
    this.#append(body, undefined, done, body.length, 1);
  }

  /** The runtime took `n` bytes, over one run or more; a run that is wholly taken is not next any more. */
  take(n: number): void {
    this.lent += n;
    let left = n;
    for (let run = this.next; run !== undefined; run = this.next) {
      const part = Math.min(left, run.end - run.taken);
      run.taken += part;
      left -= part;
      if (run.taken < run.end) return;
      this.#next++;
      if (left === 0) return;
    }
  }

  /** What is next, run by run, until there are `most` bytes or nothing is left. */
  parts(most: number): { readonly parts: readonly Uint8Array[]; readonly bytes: number } {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let i = this.#next; i < this.#runs.length && bytes < most; i++) {
      const run = this.#runs[i]!;
      const n = run.end - run.taken;
      parts.push(view(run, n));
      bytes += n;
    }
    return { parts, bytes };
  }

  /**
   * Frees up to `n` taken bytes, oldest first.
   *
   * @returns Runs that are wholly free, and have left.
   */
  release(n: number): readonly Run[] {
    let finished = 0;
    let all = 0;
    for (const run of this.#runs) {
      const freed = Math.min(n - all, run.taken - run.released);
      run.released += freed;
      all += freed;
      if (run.released < run.end) break;
      finished++;
    }
    this.bytes -= all;
    this.lent -= all;
    const free = finished === 0 ? NONE : this.#leave(finished);
    // Last, as it can serve whoever waits for room, and that one adds to this queue.
    if (all > 0) this.#account?.queue(-all);
    return free;
  }

  /** The first runs are wholly free: they leave. */
  #leave(finished: number): readonly Run[] {
    this.#allowed = 0;
    const free = this.#runs.splice(0, finished);
    this.#next = Math.max(0, this.#next - finished);
    for (const { items, block, end } of free) {
      this.items -= items;
      if (block === undefined) continue;
      // Alone, a large one was not needed; after a small one it was.
      if (finished === 1 && end <= SMALL_BLOCK_BYTES) this.#large = false;
      this.#pool.give(block);
    }
    if (this.#runs.length === 0) this.#block = undefined;
    return free;
  }

  /** Empties it. Memory that is lent is left to the runtime. Returns all runs. */
  clear(): readonly Run[] {
    const runs = this.#runs.splice(0);
    runs.forEach(({ block, taken, released }, i) => {
      if (block !== undefined && i >= this.#next && taken === released) this.#pool.give(block);
    });
    this.#next =
      this.items =
      this.bytes =
      this.lent =
      this.#allowed =
        0;
    this.#block = undefined;
    return runs;
  }

  /** Counts an item of `n` bytes at the end of a run; returns where it is. */
  #add(run: Run, n: number): number {
    const at = run.end;
    run.end += n;
    run.items++;
    this.items++;
    this.bytes += n;
    this.#account?.queue(n);
    return at;
  }

  #append(
    bytes: Uint8Array,
    block: Block | undefined,
    done: WriteDone | undefined,
    end: number,
    items: number,
  ): Run {
    const run: Run = { bytes, block, done, items, released: 0, taken: 0, end };
    this.#runs.push(run);
    this.#allowed = 0;
    this.items += items;
    this.bytes += end;
    if (end > 0) this.#account?.queue(end);
    return run;
  }
}

const NONE: readonly Run[] = [];

/** The next `n` bytes of a run that the runtime has not taken; the run's own memory where that is all of it. */
export function view(run: Run, n: number): Uint8Array {
  if (run.taken === 0 && n === run.bytes.length) return run.bytes;
  return new Uint8Array(run.bytes.buffer, run.bytes.byteOffset + run.taken, n);
}
