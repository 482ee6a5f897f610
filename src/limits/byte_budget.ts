/**
 * The bytes that unfinished work may hold: one pool, shares by peer, reservations in turn.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";

/** The largest pool, and the default, in bytes. Source: runtime §4. */
export const BUDGET_BYTES = 67_108_864;
/** What a connection may hold outside the pool: one chunk, in bytes. */
export const FLOOR_BYTES: number = CAPS.chunkBytes;
/** What a peer may take in its turn, in bytes. */
const QUANTUM_BYTES = 262_144;

/** Whose share bytes count towards: a peer, or a connection whose peer is not known. */
export interface Share {
  /** Bytes of the pool. */
  held: number;
}

/**
 * A pool of bytes for frames that are not complete, bytes that are not delivered, and writer inboxes.
 *
 * Each connection has a floor of one chunk outside of it. One peer holds at most a quarter of it, and
 * its last quarter is for peers that hold no more than one frame, so that a few who stall cannot keep
 * a newcomer out. Invariant: `used` is the sum of what the accounts hold beyond their floors. Nothing
 * is granted that takes it above `bytes`; what a connection receives may, by one floor.
 *
 * @example One pool for two transports
 * ```ts
 * import { ByteBudget, Transport } from "@ron/transport";
 *
 * const budget = new ByteBudget(16 * 1024 * 1024);
 * await using inner = new Transport({}, { budget });
 * await using outer = new Transport({}, { budget });
 * ```
 */
export class ByteBudget {
  /** Size of the pool, in bytes. */
  readonly bytes: number;
  /** @internal What wide receive windows may bring: at most a quarter of the pool. */
  windows = 0;
  #used = 0;
  /** Reservations that wait, by share, in the order of their turns. */
  readonly #queues = new Map<Share, Queue>();
  #serving = false;

  /**
   * Makes an empty pool.
   *
   * @param bytes Its size: 4 MiB to 64 MiB. @default {67108864}
   * @throws {TransportError} `config_invalid` outside of that.
   */
  constructor(bytes: number = BUDGET_BYTES) {
    const least = 4 * CAPS.frameBytes;
    if (!Number.isInteger(bytes) || bytes < least || bytes > BUDGET_BYTES) {
      throw new TransportError(
        "config_invalid",
        `A byte budget must be a whole number of ${least} to ${BUDGET_BYTES} bytes, got ${bytes}: it can only be lowered`,
        { op: "config" },
      );
    }
    this.bytes = bytes;
  }

  /** Bytes held. */
  get used(): number {
    return this.#used;
  }

  /** Reservations that wait. */
  get waiting(): number {
    let n = 0;
    for (const queue of this.#queues.values()) n += queue.waiters.length;
    return n;
  }

  /** @internal An account for one connection. */
  account(share: Share = { held: 0 }): ByteAccount {
    return new ByteAccount(this, share);
  }

  /** @internal Whether a share may take `n` more. */
  fits(share: Share, n: number): boolean {
    if (this.#used + n > this.bytes || share.held + n > this.bytes / 4) return false;
    return this.#used + n <= this.bytes * 3 / 4 ||
      share.held + n <= CAPS.frameBytes + CAPS.chunkBytes;
  }

  /** @internal Whether a receive window may take `n` more: not of the last quarter, nor while others wait. */
  mayWiden(share: Share, n: number): boolean {
    return this.#queues.size === 0 && this.windows + n <= this.bytes / 4 &&
      this.#used + n <= this.bytes * 3 / 4 && share.held + n <= this.bytes / 4;
  }

  /** @internal Moves what is held by `n`, which may be negative. */
  move(share: Share, n: number): void {
    share.held += n;
    this.#used += n;
    if (n < 0) this.#serve();
  }

  /** @internal */
  enqueue(share: Share, waiter: Waiter): void {
    let queue = this.#queues.get(share);
    if (queue === undefined) this.#queues.set(share, queue = { waiters: [], deficit: 0 });
    queue.waiters.push(waiter);
  }

  /** @internal */
  dequeue(share: Share, waiter: Waiter): void {
    const queue = this.#queues.get(share);
    if (queue === undefined) return;
    const at = queue.waiters.indexOf(waiter);
    if (at >= 0) queue.waiters.splice(at, 1);
    if (queue.waiters.length === 0) this.#queues.delete(share);
  }

  /** @internal Whether nobody of this share waits already. */
  isFirst(share: Share): boolean {
    return !this.#queues.has(share);
  }

  /** Grants what can be granted, a quantum a turn for each peer, in the order they came. */
  #serve(): void {
    if (this.#serving || this.#queues.size === 0) return;
    this.#serving = true;
    try {
      let again = true;
      while (again) {
        again = false;
        for (const [share, queue] of [...this.#queues]) again = this.#turn(share, queue) || again;
      }
    } finally {
      this.#serving = false;
    }
  }

  /** Whether another turn may help. */
  #turn(share: Share, queue: Queue): boolean {
    const first = queue.waiters[0];
    if (first === undefined) return false;
    const bytes = first.needs();
    if (bytes > 0 && !this.fits(share, bytes)) return false;
    queue.deficit += QUANTUM_BYTES;
    if (queue.deficit < bytes) return true;
    queue.deficit -= bytes;
    this.dequeue(share, first);
    first.grant();
    return true;
  }
}

interface Waiter {
  /** Bytes of the pool that it takes now. */
  needs(): number;
  grant(): void;
}

interface Queue {
  readonly waiters: Waiter[];
  deficit: number;
}

/** What one connection holds. Invariant: its part of the pool is what it holds beyond the floor. */
export class ByteAccount {
  readonly #budget: ByteBudget;
  readonly #share: Share;
  #pooled = 0;
  #reserved = 0;
  #retained = 0;
  #window = 0;
  #queued = 0;
  #waiter: Waiter | undefined = undefined;
  #outWaiter: Waiter | undefined = undefined;
  #closed = false;

  /** @internal Made by {@linkcode ByteBudget.account}. */
  constructor(budget: ByteBudget, share: Share) {
    this.#budget = budget;
    this.#share = share;
  }

  /** Bytes held, the floor included. What a receive may bring and what it brought are the same bytes. */
  get held(): number {
    return this.#reserved + Math.max(this.#retained, this.#window) + this.#queued;
  }

  /** Bytes of the writer inbox. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes held beyond the floor. */
  get pooled(): number {
    return this.#pooled;
  }

  /**
   * Sets what is reserved for a frame; 0 gives it back.
   *
   * @param onGrant Called later, when it is reserved, if it is not at once.
   * @returns Whether it is reserved now. Only one reservation waits at a time.
   */
  reserve(bytes: number, onGrant: () => void): boolean {
    if (this.#closed) return true;
    this.#waiter = this.#leave(this.#waiter);
    if (bytes <= this.#reserved) {
      this.#reserved = bytes;
      this.#settle();
      return true;
    }
    const more = this.#growth(bytes - this.#reserved);
    if (more <= 0 || (this.#budget.isFirst(this.#share) && this.#budget.fits(this.#share, more))) {
      this.#reserved = bytes;
      this.#settle();
      return true;
    }
    const waiter: Waiter = {
      needs: () => this.#growth(bytes - this.#reserved),
      grant: () => {
        this.#waiter = undefined;
        this.#reserved = bytes;
        this.#settle();
        onGrant();
      },
    };
    this.#waiter = waiter;
    this.#budget.enqueue(this.#share, waiter);
    return false;
  }

  /**
   * Sets what was received and is not delivered: it is here already. One floor of it is always taken.
   *
   * @returns `false` when the pool cannot take it: the connection must go.
   */
  retain(bytes: number): boolean {
    if (this.#closed || bytes === this.#retained) return true;
    if (bytes > Math.max(FLOOR_BYTES, this.#retained, this.#window)) {
      const more = this.#growth(bytes - Math.max(this.#retained, this.#window));
      if (more > 0 && !this.#budget.fits(this.#share, more)) return false;
    }
    this.#retained = bytes;
    this.#settle();
    return true;
  }

  /** Sets what a receive may bring, where that is more than the floor; `false` when the pool cannot take it. */
  widen(bytes: number): boolean {
    if (this.#closed) return false;
    const more = bytes - this.#window;
    if (more > 0 && !this.#budget.mayWiden(this.#share, more)) return false;
    this.#budget.windows += more;
    this.#window = bytes;
    this.#settle();
    return true;
  }

  /** Whether the writer inbox may take `n` more. */
  canQueue(n: number): boolean {
    if (this.held + n <= FLOOR_BYTES) return true;
    const more = this.#growth(n);
    return more <= 0 || this.#budget.fits(this.#share, more);
  }

  /** Calls back, once, when the writer inbox may take `n` more. */
  whenQueueable(n: number, onRoom: () => void): void {
    if (this.#closed) return;
    this.#leave(this.#outWaiter);
    this.#outWaiter = {
      needs: () => this.#growth(n),
      grant: () => {
        this.#outWaiter = undefined;
        onRoom();
      },
    };
    this.#budget.enqueue(this.#share, this.#outWaiter);
  }

  /** Adds to what the writer inbox holds; negative when it was sent. */
  queue(n: number): void {
    if (this.#closed) return;
    this.#queued += n;
    this.#settle();
  }

  /** Gives all back, for good. */
  close(): void {
    this.#closed = true;
    this.#waiter = this.#leave(this.#waiter);
    this.#outWaiter = this.#leave(this.#outWaiter);
    this.#budget.windows -= this.#window;
    this.#reserved =
      this.#retained =
      this.#window =
      this.#queued =
        0;
    this.#settle();
  }

  #growth(n: number): number {
    return Math.max(0, this.held + n - FLOOR_BYTES) - this.#pooled;
  }

  #settle(): void {
    const pooled = Math.max(0, this.held - FLOOR_BYTES);
    const n = pooled - this.#pooled;
    if (n === 0) return;
    this.#pooled = pooled;
    this.#budget.move(this.#share, n);
  }

  #leave(waiter: Waiter | undefined): undefined {
    if (waiter !== undefined) this.#budget.dequeue(this.#share, waiter);
  }
}
