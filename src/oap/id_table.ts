/**
 * A small table keyed by (tenant, app, corr_id), read straight from header bytes.
 *
 * @module
 */

const WORDS = 7;

/**
 * At most a few hundred entries, found by comparing words in a row: no bigint and no string is made for a
 * lookup, which a `Map` would want.
 */
export class IdTable<T> {
  #keys: Uint32Array = new Uint32Array(0);
  readonly #values: T[] = [];

  /** Number of entries. */
  get size(): number {
    return this.#values.length;
  }

  /** The place of the entry for the header at `at`, or -1. Places change when entries are removed. */
  find(view: DataView, at: number): number {
    const keys = this.#keys;
    const corr = view.getUint32(at + 34);
    for (let i = 0; i < this.#values.length; i++) {
      if (keys[i * WORDS] === corr && this.#same(i * WORDS, view, at)) return i;
    }
    return -1;
  }

  /** The value at a place. */
  get(i: number): T {
    return this.#values[i] as T;
  }

  /** Replaces the value at a place. */
  set(i: number, value: T): void {
    this.#values[i] = value;
  }

  /** Adds an entry for the header at `at`. */
  add(view: DataView, at: number, value: T): void {
    const k = this.#values.push(value) * WORDS - WORDS;
    if (k === this.#keys.length) {
      const grown = new Uint32Array(Math.max(8 * WORDS, 2 * k));
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.#keys[k] = view.getUint32(at + 34);
    this.#keys[k + 1] = view.getUint32(at + 30);
    this.#keys[k + 2] = view.getUint16(at + 10);
    for (let word = 0; word < 4; word++) {
      this.#keys[k + 3 + word] = view.getUint32(at + 12 + 4 * word);
    }
  }

  /** Removes the entry at a place; the last one moves there. */
  removeAt(i: number): T {
    const value = this.#values[i] as T;
    const last = this.#values.pop() as T;
    const from = this.#values.length * WORDS;
    if (i < this.#values.length) {
      this.#values[i] = last;
      this.#keys.copyWithin(i * WORDS, from, from + WORDS);
    }
    return value;
  }

  /** Empties the table and returns what was in it. */
  clear(): T[] {
    return this.#values.splice(0);
  }

  #same(k: number, view: DataView, at: number): boolean {
    const keys = this.#keys;
    return keys[k + 1] === view.getUint32(at + 30) && keys[k + 2] === view.getUint16(at + 10) &&
      keys[k + 3] === view.getUint32(at + 12) && keys[k + 4] === view.getUint32(at + 16) &&
      keys[k + 5] === view.getUint32(at + 20) && keys[k + 6] === view.getUint32(at + 24);
  }
}
