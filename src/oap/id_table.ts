/**
 * A small table keyed by (tenant, app, corr_id), read straight from header bytes.
 *
 * @module
 */

/** Words of an entry: corr_id low and high, app, the tenant's four; then its hash, and the slot it has. */
const WORDS = 9;
const HASH = 7;
const SLOT = 8;
/** Entries that memory is made for: as many as requests may be unanswered, so that few tables grow. */
const FIRST_ENTRIES = 64;
/** Memory kept for tables that are empty now. */
const SPARES = 64;
const NO_KEYS: Int32Array = new Int32Array(0);
const NO_SLOTS: Uint16Array = new Uint16Array(0);

interface Memory {
  readonly keys: Int32Array;
  readonly slots: Uint16Array;
}

/** Memory for tables, shared by many, so that one without entries, as that of an idle connection, holds none. */
export class IdMemory {
  readonly #free: Memory[] = [];

  /** Memory for {@linkcode FIRST_ENTRIES}, its slots all 0. */
  take(): Memory {
    return this.#free.pop() ?? {
      keys: new Int32Array(FIRST_ENTRIES * WORDS),
      slots: new Uint16Array(2 * FIRST_ENTRIES),
    };
  }

  /** Takes memory back; what is larger, or too much, is left to the garbage collector. */
  give(memory: Memory): void {
    if (memory.keys.length !== FIRST_ENTRIES * WORDS || this.#free.length === SPARES) return;
    this.#free.push(memory);
  }
}

/**
 * At most a few hundred entries. Keys are compared as words: no bigint and no string is made for a lookup,
 * which a `Map` would want.
 *
 * Entries lie side by side; slots of a hash table, never more than half in use, hold 1 + their places. A peer
 * that makes its ids collide makes a lookup as slow as one that looks at every entry, and no slower.
 */
export class IdTable<T> {
  readonly #memory: IdMemory;
  #keys: Int32Array = NO_KEYS;
  #slots: Uint16Array = NO_SLOTS;
  readonly #values: T[] = [];

  /** @param memory Where memory comes from while there are entries. */
  constructor(memory: IdMemory) {
    this.#memory = memory;
  }

  /** Number of entries. */
  get size(): number {
    return this.#values.length;
  }

  /** The place of the entry for the header at `at`, or -1. Places change when entries are removed. */
  find(view: DataView, at: number): number {
    if (this.#values.length === 0) return -1;
    const slots = this.#slots;
    const mask = slots.length - 1;
    const corr = view.getInt32(at + 34);
    let slot = hash(corr, view.getInt32(at + 30), view.getInt32(at + 24)) & mask;
    for (let place = slots[slot]!; place !== 0; place = slots[slot = slot + 1 & mask]!) {
      const k = (place - 1) * WORDS;
      if (this.#keys[k] === corr && this.#same(k, view, at)) return place - 1;
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

  /** Adds an entry for the header at `at`, which has none. */
  add(view: DataView, at: number, value: T): void {
    const place = this.#values.push(value);
    if (place * WORDS > this.#keys.length) this.#grow(place);
    const keys = this.#keys;
    const k = (place - 1) * WORDS;
    const low = keys[k] = view.getInt32(at + 34);
    const high = keys[k + 1] = view.getInt32(at + 30);
    keys[k + 2] = view.getUint16(at + 10);
    keys[k + 3] = view.getInt32(at + 12);
    keys[k + 4] = view.getInt32(at + 16);
    keys[k + 5] = view.getInt32(at + 20);
    const tenant = keys[k + 6] = view.getInt32(at + 24);
    keys[k + HASH] = hash(low, high, tenant);
    this.#settle(place);
  }

  /** Removes the entry at a place; the last one moves there. */
  removeAt(i: number): T {
    const values = this.#values;
    const keys = this.#keys;
    const value = values[i] as T;
    const to = i * WORDS;
    this.#free(keys[to + SLOT]!);
    const last = values.length;
    const moved = values.pop() as T;
    if (i + 1 < last) {
      const from = (last - 1) * WORDS;
      for (let word = 0; word < WORDS; word++) keys[to + word] = keys[from + word]!;
      values[i] = moved;
      this.#slots[keys[to + SLOT]!] = i + 1;
    }
    if (last === 1) this.#rest();
    return value;
  }

  /** Empties the table and returns what was in it. */
  clear(): T[] {
    this.#slots.fill(0);
    this.#rest();
    return this.#values.splice(0);
  }

  /** Gives the entry `place - 1` the first free slot from its home on. */
  #settle(place: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const k = (place - 1) * WORDS;
    let slot = this.#keys[k + HASH]! & mask;
    while (slots[slot] !== 0) slot = slot + 1 & mask;
    slots[slot] = place;
    this.#keys[k + SLOT] = slot;
  }

  /** Empties a slot; what lies behind it in one run moves up, so that a search still finds it. */
  #free(slot: number): void {
    const slots = this.#slots;
    const keys = this.#keys;
    const mask = slots.length - 1;
    let hole = slot;
    for (let next = slot + 1 & mask; slots[next] !== 0; next = next + 1 & mask) {
      const k = (slots[next]! - 1) * WORDS;
      const away = next - keys[k + HASH]! & mask;
      if (away < (next - hole & mask)) continue;
      slots[hole] = slots[next]!;
      keys[k + SLOT] = hole;
      hole = next;
    }
    slots[hole] = 0;
  }

  /** Makes room for one entry more than fits. */
  #grow(entries: number): void {
    if (this.#keys === NO_KEYS) {
      const { keys, slots } = this.#memory.take();
      this.#keys = keys;
      this.#slots = slots;
      return;
    }
    const room = 2 * (entries - 1);
    const grown = new Int32Array(room * WORDS);
    grown.set(this.#keys);
    this.#keys = grown;
    this.#slots = new Uint16Array(2 * room);
    for (let place = 1; place < entries; place++) this.#settle(place);
  }

  /** Holds no memory: there are no entries, and all slots are 0. */
  #rest(): void {
    if (this.#keys === NO_KEYS) return;
    this.#memory.give({ keys: this.#keys, slots: this.#slots });
    this.#keys = NO_KEYS;
    this.#slots = NO_SLOTS;
  }

  #same(k: number, view: DataView, at: number): boolean {
    const keys = this.#keys;
    return keys[k + 1] === view.getInt32(at + 30) && keys[k + 2] === view.getUint16(at + 10) &&
      keys[k + 3] === view.getInt32(at + 12) && keys[k + 4] === view.getInt32(at + 16) &&
      keys[k + 5] === view.getInt32(at + 20) && keys[k + 6] === view.getInt32(at + 24);
  }
}

function hash(low: number, high: number, tenant: number): number {
  const mixed = Math.imul(low ^ Math.imul(high ^ tenant, 0x85eb_ca6b), 0x9e37_79b1);
  return mixed ^ mixed >>> 15;
}
