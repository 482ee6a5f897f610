/**
 * One frame that did not arrive in one piece.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { release } from "../release.ts";

const FIRST_BYTES = 256;

/** The next frame begins in the read that ends one, before the consumer gives that one back. */
const SPARES = 2;

interface Spare {
  /** The whole of its memory: then nothing holds it while it is spare. */
  readonly ref: WeakRef<Uint8Array>;
  free: boolean;
}

/**
 * At most two spare frame buffers, none larger than the largest frame, which the garbage collector may take:
 * an idle connection pins none.
 */
export class FramePool {
  readonly #spares: Spare[] = [];

  /** The spare buffer as one of exactly `n` bytes, if there is one large enough; its content is arbitrary. */
  takeSpare(n: number): Uint8Array | undefined {
    for (const spare of this.#spares) {
      const whole = spare.free ? spare.ref.deref() : undefined;
      if (whole === undefined || whole.length < n) continue;
      spare.free = false;
      return new Uint8Array(whole.buffer, 0, n);
    }
    return undefined;
  }

  /** A buffer of exactly `n` bytes; its content is arbitrary. */
  take(n: number): Uint8Array {
    return this.takeSpare(n) ?? new Uint8Array(n);
  }

  /** Takes a buffer back; the larger ones are kept. */
  give(bytes: Uint8Array): void {
    const spares = this.#spares;
    let least = bytes.buffer.byteLength;
    let place = spares.length < SPARES ? spares.length : -1;
    for (let i = 0; i < spares.length; i++) {
      const { ref, free } = spares[i]!;
      const whole = ref.deref();
      if (whole?.buffer === bytes.buffer) return void (spares[i]!.free = true);
      // One that is out may never come back; if it does, it is as good as new.
      const size = free ? whole?.length ?? 0 : 0;
      if (place < spares.length && size < least) [place, least] = [i, size];
    }
    if (place >= 0) spares[place] = { ref: new WeakRef(new Uint8Array(bytes.buffer)), free: true };
  }
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

  /** Gives the frame up, and its memory back. */
  drop(): void {
    if (this.#buffer !== undefined) release(this.#buffer);
    this.#forget();
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
