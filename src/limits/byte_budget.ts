/**
 * The bytes that unfinished work may hold: one pool, shares by peer, reservations in turn.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { ByteAccount } from "./byte_account.ts";
import { Leavings } from "./leavings.ts";
import { type Room, Turns } from "./turns.ts";

/** The largest pool, and the default, in bytes. Source: runtime §4. */
export const BUDGET_BYTES = 67_108_864;
/** The smallest: an eighth of it, which is what the inboxes of one peer may hold, takes two frames. */
const LEAST_BYTES = 16 * CAPS.frameBytes;
/** What a peer may hold each way that still counts as little: a frame, and a chunk of the next. */
const LITTLE_BYTES = CAPS.frameBytes + CAPS.chunkBytes;

/** Whose share bytes count towards: a peer, or a connection whose peer is not known. */
export interface Share {
  /** Bytes of the pool. */
  held: number;
  /** Those of them that wait to be sent. */
  outgoing: number;
  /** Those of them that wide receive windows may bring. */
  windows: number;
  /** Those of them whose connections are over. */
  left: number;
}

/**
 * A pool of bytes for frames that are not complete, bytes that are not delivered, and writer inboxes.
 *
 * Each connection has a floor outside of it: what it keeps of a frame of one chunk, one receive, and one
 * block to send. One peer holds at most a quarter of
 * the pool, and its last quarter is for peers that hold no more than one frame, so that a few who stall
 * cannot keep a newcomer out. Inboxes hold at most half of it, and those of one peer an eighth; wide
 * receive windows a quarter, and those of one peer a sixteenth; so does what nobody has taken of
 * connections that are over, and half of that where this side closed them. So there is always room for frames: two ends that send to each other can
 * read, and do not wait for each other for ever.
 *
 * Invariant: `used` is the sum of what the accounts hold beyond their floors, and never above `bytes`.
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
  /** @internal Reservations for frames that wait. */
  readonly frames: Turns<Share> = new Turns((share, n) => this.roomIn(share, n));
  /** @internal Inboxes that wait. */
  readonly inboxes: Turns<Share> = new Turns((share, n) => this.roomOut(share, n));
  /** @internal What connections that are over left behind. */
  readonly leavings: Leavings = new Leavings(this);
  #used = 0;
  #outgoing = 0;
  #windows = 0;

  /**
   * Makes an empty pool.
   *
   * @param bytes Its size: 16 MiB to 64 MiB. @default {67108864}
   * @throws {TransportError} `config_invalid` outside of that.
   */
  constructor(bytes: number = BUDGET_BYTES) {
    if (!Number.isInteger(bytes) || bytes < LEAST_BYTES || bytes > BUDGET_BYTES) {
      throw new TransportError(
        "config_invalid",
        `A byte budget must be a whole number of ${LEAST_BYTES} to ${BUDGET_BYTES} bytes, got ${bytes}: it can only be lowered`,
        { op: "config" },
      );
    }
    this.bytes = bytes;
  }

  /** Bytes held. */
  get used(): number {
    return this.#used;
  }

  /** @internal Bytes of these that wide receive windows may bring. */
  get windows(): number {
    return this.#windows;
  }

  /** Reservations that wait. */
  get waiting(): number {
    return this.frames.waiting + this.inboxes.waiting;
  }

  /** @internal An account for one connection. */
  account(share: Share = { held: 0, outgoing: 0, windows: 0, left: 0 }): ByteAccount {
    return new ByteAccount(this, share);
  }

  /** @internal Whether a share may take `n` more for what it receives. */
  roomIn(share: Share, n: number): Room {
    return this.#room(share, n, share.held - share.outgoing + n <= LITTLE_BYTES);
  }

  /** @internal Whether a share may take `n` more for what it is to be sent. */
  roomOut(share: Share, n: number): Room {
    if (share.outgoing + n > this.bytes / 8) return "share";
    const room = this.#room(share, n, share.outgoing + n <= LITTLE_BYTES);
    return room === "there" && this.#outgoing + n > this.bytes / 2 ? "pool" : room;
  }

  /** @internal Whether a receive window may take `n` more: not of the last quarter, nor while others wait. */
  mayWiden(share: Share, n: number): boolean {
    return this.#windows + n <= this.bytes / 4 && share.windows + n <= this.bytes / 16 &&
      this.#used + n <= this.bytes * 3 / 4 && share.held + n <= this.bytes / 4 &&
      this.waiting === 0;
  }

  /** @internal Receive windows have become wider, or narrower. */
  widened(share: Share, n: number): void {
    share.windows += n;
    this.#windows += n;
  }

  /** @internal Moves what is held for receiving, and for sending, by so many bytes; they may be negative. */
  move(share: Share, incoming: number, outgoing: number): void {
    share.held += incoming + outgoing;
    share.outgoing += outgoing;
    this.#used += incoming + outgoing;
    this.#outgoing += outgoing;
    if (incoming >= 0 && outgoing >= 0) return;
    this.frames.serve();
    this.inboxes.serve();
  }

  #room(share: Share, n: number, little: boolean): Room {
    if (share.held + n > this.bytes / 4) return "share";
    if (this.#used + n > this.bytes) return little ? "pool" : "share";
    // Of the last quarter only those take who hold little; the others are passed over for them.
    return little || this.#used + n <= this.bytes * 3 / 4 ? "there" : "share";
  }
}
