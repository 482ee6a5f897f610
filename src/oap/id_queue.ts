/**
 * Ids of requests in the order they came: (tenant, app, corr_id), read straight from header bytes.
 *
 * @module
 */

import { CAPS } from "../caps.ts";

/** Places, half as many more than entries: one that leaves from the middle keeps its own until the end is reached. */
const PLACES: number = CAPS.inflightFrames * 3 / 2;
/** Words of an entry apart from the low one of corr_id: its high one, app, the tenant's four. */
const WORDS = 6;
const APP = 1;
/** In the place of an app, which has 16 bits: the entry has left. */
const LEFT = -1;
/** Memory kept for queues that are empty now. */
const SPARES = 64;
const NONE: Int32Array = new Int32Array(0);

/** Memory for queues, shared by many, so that an empty one, as that of an idle connection, holds none. */
export class IdQueueMemory {
  readonly #free: Int32Array[] = [];

  /** Memory whose content is of no meaning. */
  take(): Int32Array {
    return this.#free.pop() ?? new Int32Array(PLACES * (1 + WORDS));
  }

  /** Takes memory back; what is too much is left to the garbage collector. */
  give(memory: Int32Array): void {
    if (this.#free.length < SPARES) this.#free.push(memory);
  }
}

/**
 * At most 64 entries, of which several may be the same. Answers mostly go out in the order of their
 * requests, so the search begins with the oldest: it ends there, or after at most 64 steps of one word each.
 * Neither a bigint nor a string is made, which a `Map` would want.
 *
 * Low words lie in the first {@linkcode PLACES} words, the others behind them, entry by entry.
 */
export class IdQueue {
  readonly #memory: IdQueueMemory;
  #ids: Int32Array = NONE;
  #first = 0;
  #end = 0;
  #size = 0;

  /** @param memory Where memory comes from while there are entries. */
  constructor(memory: IdQueueMemory) {
    this.#memory = memory;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Adds the ids of the header at `at`; the caller keeps to 64 entries. */
  add(view: DataView, at: number): void {
    if (this.#size === 0) this.#ids = this.#memory.take();
    else if (this.#end === PLACES) this.#close();
    const ids = this.#ids;
    const k = PLACES + this.#end * WORDS;
    ids[this.#end++] = view.getInt32(at + 34);
    ids[k] = view.getInt32(at + 30);
    ids[k + APP] = view.getUint16(at + 10);
    ids[k + 2] = view.getInt32(at + 12);
    ids[k + 3] = view.getInt32(at + 16);
    ids[k + 4] = view.getInt32(at + 20);
    ids[k + 5] = view.getInt32(at + 24);
    this.#size++;
  }

  /** Removes the oldest entry with the ids of the header at `at`, if there is one. */
  remove(view: DataView, at: number): boolean {
    const ids = this.#ids;
    const end = this.#end;
    const low = view.getInt32(at + 34);
    for (let i = this.#first; i < end; i++) {
      if (ids[i] !== low || !this.#same(PLACES + i * WORDS, view, at)) continue;
      ids[PLACES + i * WORDS + APP] = LEFT;
      if (--this.#size === 0) this.#rest();
      else if (i === this.#first) this.#leaveFront();
      return true;
    }
    return false;
  }

  #same(k: number, view: DataView, at: number): boolean {
    const ids = this.#ids;
    return ids[k] === view.getInt32(at + 30) && ids[k + APP] === view.getUint16(at + 10) &&
      ids[k + 2] === view.getInt32(at + 12) && ids[k + 3] === view.getInt32(at + 16) &&
      ids[k + 4] === view.getInt32(at + 20) && ids[k + 5] === view.getInt32(at + 24);
  }

  /** What has left is not looked at again. */
  #leaveFront(): void {
    do this.#first++; while (this.#ids[PLACES + this.#first * WORDS + APP] === LEFT);
  }

  /** Moves what is there to the front. */
  #close(): void {
    const ids = this.#ids;
    let to = 0;
    for (let i = this.#first; i < this.#end; i++) {
      const from = PLACES + i * WORDS;
      if (ids[from + APP] === LEFT) continue;
      ids[to] = ids[i]!;
      for (let word = 0; word < WORDS; word++) ids[PLACES + to * WORDS + word] = ids[from + word]!;
      to++;
    }
    this.#first = 0;
    this.#end = to;
  }

  /** Holds no memory. */
  #rest(): void {
    this.#memory.give(this.#ids);
    this.#ids = NONE;
    this.#first = this.#end = 0;
  }
}
