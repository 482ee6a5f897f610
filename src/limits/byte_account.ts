/**
 * What one connection holds of the byte budget.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { ByteBudget, Share } from "./byte_budget.ts";
import type { Turns, Waiter } from "./turns.ts";

/** What a connection may keep outside the pool before it reads on: a frame of one chunk, and its headers. */
export const KEPT_BYTES: number = CAPS.chunkBytes + 4_096;
/** What it may have received outside the pool: that, and what one more receive brings. */
export const FLOOR_BYTES: number = KEPT_BYTES + CAPS.chunkBytes;
/** What it may have to send outside the pool: the block in which small items are gathered. */
export const OUT_FLOOR_BYTES: number = CAPS.chunkBytes;

/**
 * See the module. Its part of the pool is what it reserved for a frame, what else it received beyond the
 * floor, and what it is to send beyond the floor.
 */
export class ByteAccount {
  readonly #budget: ByteBudget;
  #share: Share;
  #incoming = 0;
  #outgoing = 0;
  #reserved = 0;
  #retained = 0;
  #window = 0;
  #queued = 0;
  #frame: Waiter | undefined = undefined;
  #inbox: Waiter | undefined = undefined;
  #inboxNeeds = 0;
  /** Whether it is the inbox's turn, right now. */
  #turn = false;
  #closed = false;

  /** @internal Made by {@linkcode ByteBudget.account}. */
  constructor(budget: ByteBudget, share: Share) {
    this.#budget = budget;
    this.#share = share;
  }

  /**
   * Its peer is known only now, as of a dial by name: what it holds counts towards that one's share.
   * Invariant: nothing has been held yet.
   */
  belong(share: Share): void {
    if (this.pooled === 0 && this.#frame === undefined && this.#inbox === undefined) {
      this.#share = share;
    }
  }

  /** Bytes held, the floors included. What a receive may bring and what it brought are the same bytes. */
  get held(): number {
    return this.#reserved + Math.max(this.#retained, this.#window) + this.#queued;
  }

  /** Bytes of the writer inbox. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes reserved for a frame. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Bytes held of the pool. */
  get pooled(): number {
    return this.#incoming + this.#outgoing;
  }

  /**
   * Sets what is reserved for a frame; 0 gives it back.
   *
   * @param onGrant Called later, when it is reserved, if it is not at once.
   * @returns Whether it is reserved now. Only one reservation waits at a time.
   */
  reserve(bytes: number, onGrant: () => void): boolean {
    if (this.#closed) return true;
    const { frames } = this.#budget;
    this.#frame = this.#leave(frames, this.#frame);
    if (bytes <= this.#reserved) {
      this.#reserved = bytes;
      this.#settle();
      return true;
    }
    let asking = true;
    const waiter: Waiter = {
      needs: () => bytes - this.#reserved,
      grant: () => {
        this.#frame = undefined;
        this.#reserved = bytes;
        this.#settle();
        if (!asking) onGrant();
      },
    };
    this.#frame = waiter;
    frames.join(this.#share, waiter);
    frames.serve();
    asking = false;
    return this.#frame !== waiter;
  }

  /**
   * Sets what was received and is not delivered: it is here already.
   *
   * @returns `false` when the pool cannot take what is beyond the floor: the connection must go.
   */
  retain(bytes: number): boolean {
    if (this.#closed) {
      this.#budget.leavings.lower(this, bytes);
      return true;
    }
    if (bytes === this.#retained) return true;
    const before = Math.max(FLOOR_BYTES, this.#retained, this.#window);
    if (bytes > before && this.#budget.roomIn(this.#share, bytes - before) !== "there") {
      return false;
    }
    this.#retained = bytes;
    this.#settle();
    return true;
  }

  /** The frame is complete that memory was reserved for: in one step, what is still kept of it is retained. */
  finish(retained: number): void {
    if (this.#closed) return;
    this.#reserved = 0;
    this.#retained = retained;
    this.#settle();
  }

  /** Sets what a receive may bring, where that is more than the floor; `false` when the pool cannot take it. */
  widen(bytes: number): boolean {
    if (this.#closed) return false;
    const more = beyond(bytes, FLOOR_BYTES) - beyond(this.#window, FLOOR_BYTES);
    if (more > 0 && !this.#budget.mayWiden(this.#share, more)) return false;
    this.#budget.widened(this.#share, more);
    this.#window = bytes;
    this.#settle();
    return true;
  }

  /** Bytes that the writer inbox may take without asking: what is left of its floor. */
  get queueFloor(): number {
    return Math.max(0, OUT_FLOOR_BYTES - this.#queued);
  }

  /** Whether the writer inbox may take `n` more. Nobody overtakes an inbox of the peer that waits. */
  canQueue(n: number): boolean {
    const more = this.#queueGrowth(n);
    if (more === 0) return true;
    const { inboxes } = this.#budget;
    return (this.#turn || !inboxes.has(this.#share)) &&
      this.#budget.roomOut(this.#share, more) === "there";
  }

  /** Calls back, once, when the writer inbox may take `n` more. Asked again, it keeps its place in the line. */
  whenQueueable(n: number, onRoom: () => void): void {
    if (this.#closed) return;
    const { inboxes } = this.#budget;
    this.#inboxNeeds = n;
    if (this.#inbox === undefined) {
      this.#inbox = {
        needs: () => this.#queueGrowth(this.#inboxNeeds),
        grant: () => {
          this.#inbox = undefined;
          this.#turn = true;
          try {
            onRoom();
          } finally {
            this.#turn = false;
          }
        },
      };
      inboxes.join(this.#share, this.#inbox);
    }
    inboxes.serve();
  }

  /** Adds to what the writer inbox holds; negative when it was sent. */
  queue(n: number): void {
    if (this.#closed) return;
    this.#queued += n;
    // Within the floor before and after: the pool has nothing of it.
    if (this.#queued > OUT_FLOOR_BYTES || this.#outgoing > 0) this.#settle();
  }

  /**
   * The connection is over: gives all back, but for what it leaves behind. Asked again, as another sink
   * takes that over, it tells whether so much of it still counts.
   *
   * @param left Bytes received that nobody has taken; {@linkcode ByteAccount.retain} tells when they are.
   * @param ours Whether this side closed it.
   * @returns `false` where there is no room for these.
   */
  close(left: number = 0, ours: boolean = false): boolean {
    if (this.#closed) return this.#budget.leavings.covers(this, left);
    this.#closed = true;
    const stays = left === 0 ||
      this.#budget.leavings.add(this, this.#share, left, this.#incoming, ours);
    this.#frame = this.#leave(this.#budget.frames, this.#frame);
    this.#inbox = this.#leave(this.#budget.inboxes, this.#inbox);
    this.#budget.widened(this.#share, -beyond(this.#window, FLOOR_BYTES));
    this.#reserved =
      this.#retained =
      this.#window =
      this.#queued =
        0;
    this.#settle();
    return stays;
  }

  #queueGrowth(n: number): number {
    return beyond(this.#queued + n, OUT_FLOOR_BYTES) - this.#outgoing;
  }

  /** Brings the pool up to date. */
  #settle(): void {
    const incoming = this.#reserved + beyond(Math.max(this.#retained, this.#window), FLOOR_BYTES);
    const outgoing = beyond(this.#queued, OUT_FLOOR_BYTES);
    const more = incoming - this.#incoming;
    const moreOut = outgoing - this.#outgoing;
    if (more === 0 && moreOut === 0) return;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#budget.move(this.#share, more, moreOut);
  }

  /** Waits no more; those behind may go on. */
  #leave(turns: Turns<Share>, waiter: Waiter | undefined): undefined {
    if (waiter === undefined) return;
    turns.leave(this.#share, waiter);
    turns.serve();
  }
}

function beyond(bytes: number, floor: number): number {
  return Math.max(0, bytes - floor);
}
