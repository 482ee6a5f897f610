/**
 * One frame that did not arrive in one piece.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { release } from "../release.ts";

const FIRST_BYTES = 256;

/** Buffers that a pool keeps: a frame mostly begins in the read that ends one, before the consumer gives that one back. */
const SPARES = 8;
/** Bytes of them, at most. */
const SPARE_BYTES = 2 * CAPS.frameBytes;
/** How much larger than asked for a buffer may be, as nobody counts that. */
const SLACK_BYTES = CAPS.chunkBytes + CAPS.headerBytes;

/**
 * Spare frame buffers. Connections share them, so that an idle one pins none and a busy one finds one whenever
 * the garbage collector has come.
 */
export class FramePool {
  /** Each is the whole of its memory. */
  readonly #spares: Uint8Array[] = [];
  #bytes = 0;

  /** A spare buffer as one of exactly `n` bytes, if there is one about as large; its content is arbitrary. */
  takeSpare(n: number): Uint8Array | undefined {
    const spares = this.#spares;
    for (let i = spares.length - 1; i >= 0; i--) {
      const { length } = spares[i]!;
      if (length >= n && length - n <= SLACK_BYTES) return cut(this.#remove(i), n);
    }
    return undefined;
  }

  /** A buffer of exactly `n` bytes; its content is arbitrary. */
  take(n: number): Uint8Array {
    return this.takeSpare(n) ?? new Uint8Array(n);
  }

  /** Takes a buffer back that nobody uses any more. The larger ones are kept, others are freed. */
  give(bytes: Uint8Array): void {
    const whole = cut(bytes, bytes.buffer.byteLength);
    const spares = this.#spares;
    while (
      spares.length === SPARES || (spares.length > 0 && this.#bytes + whole.length > SPARE_BYTES)
    ) {
      const least = this.#smallest();
      if (spares[least]!.length >= whole.length) return release(whole);
      release(this.#remove(least));
    }
    spares.push(whole);
    this.#bytes += whole.length;
  }

  #smallest(): number {
    const spares = this.#spares;
    let least = 0;
    for (let i = 1; i < spares.length; i++) {
      if (spares[i]!.length < spares[least]!.length) least = i;
    }
    return least;
  }

  #remove(i: number): Uint8Array {
    const spares = this.#spares;
    const spare = spares[i]!;
    spares[i] = spares[spares.length - 1]!;
    spares.pop();
    this.#bytes -= spare.length;
    return spare;
  }
}

/** The first `n` bytes of the memory that `bytes` lies in. */
function cut(bytes: Uint8Array, n: number): Uint8Array {
  return bytes.length === n ? bytes : new Uint8Array(bytes.buffer, 0, n);
}

/**
 * Collects a frame as it arrives. Until one chunk of it is there it holds at most twice what came, whatever
 * the header declares; then it takes one buffer of the frame's size. A byte is copied at most three times.
 */
export class Assembly {
  /** Bytes that arrived. */
  have = 0;
  /** Bytes of the whole frame; 0 when there is none. */
  need = 0;
  /** Whether memory of the frame's whole size may be taken; until then it is at most twice what came. */
  granted = true;
  /** Where a buffer of the frame's size comes from; `undefined` makes a new one each time. */
  pool: FramePool | undefined = undefined;
  #buffer: Uint8Array | undefined = undefined;

  /** Bytes of memory held for it. */
  get bytes(): number {
    return this.#buffer?.length ?? 0;
  }

  /** Starts a frame of `need` bytes. */
  begin(need: number, granted: boolean = true): void {
    this.have = 0;
    this.need = need;
    this.granted = granted;
  }

  /**
   * Takes what belongs to the frame.
   *
   * @returns How many bytes that were.
   */
  fill(bytes: Uint8Array, from: number): number {
    const n = Math.min(this.need - this.have, bytes.length - from);
    const buffer = this.#room(this.have + n);
    buffer.set(
      from === 0 && n === bytes.length
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset + from, n),
      this.have,
    );
    this.have += n;
    return n;
  }

  /** The finished frame; the next one can begin. */
  take(): Uint8Array {
    const bytes = this.#buffer as Uint8Array;
    this.#forget();
    return bytes;
  }

  /** Gives the frame up, and its memory back: what the pool does not keep of it is freed. */
  drop(): void {
    const buffer = this.#buffer;
    this.#forget();
    if (buffer === undefined) return;
    if (this.pool === undefined) release(buffer);
    else this.pool.give(buffer);
  }

  #forget(): void {
    this.have = this.need = 0;
    this.#buffer = undefined;
  }

  #room(n: number): Uint8Array {
    const old = this.#buffer;
    if (old !== undefined && old.length >= n) return old;
    // A spare one costs no memory that is not held already.
    const spare = old === undefined && this.granted ? this.pool?.takeSpare(this.need) : undefined;
    if (spare !== undefined) return this.#buffer = spare;
    const whole = n >= this.need || (n >= CAPS.chunkBytes && this.granted);
    const size = whole
      ? this.need
      : Math.min(this.need, Math.max(FIRST_BYTES, n, 2 * (old?.length ?? 0)));
    const grown = whole && this.pool !== undefined ? this.pool.take(size) : new Uint8Array(size);
    if (old !== undefined) {
      grown.set(old.subarray(0, this.have));
      release(old);
    }
    return this.#buffer = grown;
  }
}
