/**
 * What connections left behind: bytes that came before their end, and that nobody has taken yet.
 *
 * @module
 */

import type { ByteBudget, Share } from "./byte_budget.ts";

/**
 * What one connection counts at least, in bytes: with its bytes a host keeps the connection itself, and the
 * table of peers has spare entries for as many as fit into a quarter of the pool.
 */
const LEAST_BYTES = 16_384;

interface Left {
  readonly share: Share;
  /** Whether this side closed. */
  readonly ours: boolean;
  bytes: number;
}

/**
 * Bytes of the pool whose connections are over. They count whole, as a floor is for an open connection only;
 * all of them are at most a quarter of the pool, those of one peer a sixteenth. So a peer that sends and
 * ends, over and over, cannot make a slow consumer's host hold more.
 *
 * Who closes a connection rarely reads on, and then only the garbage collector tells that the bytes are gone,
 * which can be minutes later. So these are at most an eighth: peers that send a byte too many, over and over,
 * cannot keep answers out that the host still waits for.
 */
export class Leavings {
  readonly #budget: ByteBudget;
  readonly #left = new WeakMap<object, Left>();
  /** A host that lets go of a connection takes nothing of it any more. */
  readonly #abandoned = new FinalizationRegistry<Left>((left) => this.#count(left, 0));
  #bytes = 0;
  /** Those of them whose connections this side closed. */
  #ours = 0;

  /** @param budget The pool. */
  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Bytes of all. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A connection ends with so many bytes.
   *
   * @param owner Whoever has them: once it is collected, they are gone.
   * @param instead Bytes that it is about to give back to the pool.
   * @param ours Whether this side closed it.
   * @returns `false` where there is no room for them.
   */
  add(owner: object, share: Share, bytes: number, instead: number, ours: boolean): boolean {
    const { bytes: pool } = this.#budget;
    const counted = Math.max(bytes, LEAST_BYTES);
    const room = this.#bytes + counted <= pool / 4 && share.left + counted <= pool / 16 &&
      (!ours || this.#ours + counted <= pool / 8) &&
      this.#budget.roomIn(share, Math.max(0, counted - instead)) === "there";
    if (!room) return false;
    const left: Left = { share, ours, bytes: 0 };
    this.#left.set(owner, left);
    this.#abandoned.register(owner, left, left);
    this.#count(left, counted);
    return true;
  }

  /** Whether so many bytes of a connection that is over are counted. */
  covers(owner: object, bytes: number): boolean {
    return bytes <= (this.#left.get(owner)?.bytes ?? 0);
  }

  /** So many of its bytes are still not taken. */
  lower(owner: object, bytes: number): void {
    const left = this.#left.get(owner);
    if (left === undefined) return;
    if (bytes > 0) return this.#count(left, Math.min(left.bytes, Math.max(bytes, LEAST_BYTES)));
    this.#left.delete(owner);
    this.#abandoned.unregister(left);
    this.#count(left, 0);
  }

  #count(left: Left, bytes: number): void {
    const more = bytes - left.bytes;
    left.bytes = bytes;
    left.share.left += more;
    this.#bytes += more;
    if (left.ours) this.#ours += more;
    this.#budget.move(left.share, more, 0);
  }
}
