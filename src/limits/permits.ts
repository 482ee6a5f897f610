/**
 * Counted slots that are given back exactly once.
 *
 * @module
 */

/** A slot taken. Releasing it twice gives back one. */
export class Permit implements Disposable {
  #owner: Permits | undefined;

  /** @internal Made by {@linkcode Permits.take}. */
  constructor(owner: Permits) {
    this.#owner = owner;
  }

  /** Gives the slot back. */
  release(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    if (owner !== undefined) owner.returned();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** A number of slots. Lowering the number takes none back; it only stops new ones. */
export class Permits {
  readonly #max: () => number;
  #used = 0;

  /** @param max How many slots there are now. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** Slots in use. */
  get used(): number {
    return this.#used;
  }

  /** A slot, or `undefined` when all are taken. */
  take(): Permit | undefined {
    if (this.#used >= this.#max()) return undefined;
    this.#used++;
    return new Permit(this);
  }

  /** @internal Called once by each permit. */
  returned(): void {
    this.#used--;
  }
}
