/**
 * Draws from a seed.
 *
 * @module
 */

import { random } from "../random.ts";

/** A source of decisions, the same for the same seed. */
export class Draw {
  readonly #next: () => number;

  /** @param seed Its low 32 bits count. */
  constructor(seed: number) {
    this.#next = random(seed);
  }

  /** A source of its own, so that what one actor draws changes nothing for the others. */
  fork(): Draw {
    return new Draw(this.#next() * 4_294_967_296);
  }

  /** A number from `least` up to `most`. */
  between(least: number, most: number): number {
    return least + this.#next() * (most - least);
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** A whole number from `least` to `most`, small ones as likely as large ones by magnitude. */
  size(least: number, most: number): number {
    return Math.floor(Math.exp(this.between(Math.log(least + 1), Math.log(most + 2)))) - 1;
  }

  /** `true` with this probability. */
  chance(p: number): boolean {
    return this.#next() < p;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }
}
