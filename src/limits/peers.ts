/**
 * What is remembered of each peer, in a table that strangers cannot make grow.
 *
 * @module
 */

import { Permits } from "./permits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Entries beyond the connection limit: peers that left, but whose buckets are still filling. */
export const SPARE_ENTRIES = 1_024;

/** Idle peers that are passed over at most, each time, while looking for one to drop. */
const PASSED = 16;

/** Rates of one peer, per second; 0 is no limit. */
export interface PeerRates {
  /** Bytes, each way. */
  readonly bytes: number;
  /** Accepted connections. */
  readonly accepts: number;
}

/** Limits of peers, as they are now. */
export interface PeerLimits {
  /** Most connections of all peers. */
  readonly maxConns: number;
  /** Most connections of one peer; 0 is no limit. */
  readonly perPeer: number;
  /** Rates of one peer. */
  readonly rates: PeerRates;
}

/** One peer: its slots, its buckets, and what it holds of the byte budget. */
export class Peer {
  /** Its connections. */
  readonly slots: Permits;
  /** Bytes it sends us. */
  readonly ingress: TokenBucket;
  /** Bytes we send it. */
  readonly egress: TokenBucket;
  /** Connections it opens. */
  readonly accepts: TokenBucket;
  /** Bytes of the budget that its connections hold; see `byte_budget.ts`. */
  held = 0;
  /** Those of them that wait to be sent to it. */
  outgoing = 0;
  /** Those of them that wide receive windows may bring. */
  windows = 0;
  /** Those of them whose connections are over. */
  left = 0;
  readonly #limits: () => PeerLimits;

  /** @param limits The limits now. @param nowMs The time. */
  constructor(limits: () => PeerLimits, nowMs: number) {
    this.#limits = limits;
    this.slots = new Permits(() => limits().perPeer || Infinity);
    const { rates } = limits();
    this.ingress = new TokenBucket(rates.bytes, nowMs);
    this.egress = new TokenBucket(rates.bytes, nowMs);
    this.accepts = new TokenBucket(rates.accepts, nowMs);
  }

  /** Takes over rates that have changed. */
  update(nowMs: number): void {
    const { bytes, accepts } = this.#limits().rates;
    this.ingress.setRate(bytes, nowMs);
    this.egress.setRate(bytes, nowMs);
    this.accepts.setRate(accepts, nowMs);
  }

  /** Whether nothing would be lost by forgetting it. */
  forgettable(nowMs: number): boolean {
    return this.slots.used === 0 && this.held === 0 && this.ingress.isFull(nowMs) &&
      this.egress.isFull(nowMs) &&
      this.accepts.isFull(nowMs);
  }
}

/**
 * Peers by key, at most `max_conns` + 1024 of them. Only one that has no connection and full buckets
 * is ever dropped, so many addresses can neither push a live entry out nor make the table grow.
 */
export class PeerTable {
  readonly #limits: () => PeerLimits;
  readonly #peers = new Map<string, Peer>();
  /** Peers without a connection, the one that left first in front. */
  readonly #idle = new Map<string, Peer>();

  /** @param limits The limits now. */
  constructor(limits: () => PeerLimits) {
    this.#limits = limits;
  }

  /** Entries. */
  get size(): number {
    return this.#peers.size;
  }

  /** Connections of all peers. */
  get connections(): number {
    let n = 0;
    for (const peer of this.#peers.values()) n += peer.slots.used;
    return n;
  }

  /** The peer of a key, made if there is room; `undefined` when there is none. */
  get(key: string, nowMs: number): Peer | undefined {
    const known = this.#peers.get(key);
    if (known !== undefined) {
      known.update(nowMs);
      return known;
    }
    this.#sweep(nowMs);
    if (this.#peers.size >= this.#limits().maxConns + SPARE_ENTRIES) return undefined;
    const peer = new Peer(this.#limits, nowMs);
    this.#peers.set(key, peer);
    return peer;
  }

  /** A connection of the peer has come or gone: keeps the list of idle ones. */
  settle(key: string, peer: Peer, nowMs: number): void {
    if (this.#peers.get(key) !== peer) return; // forgotten, and perhaps made anew
    if (peer.slots.used > 0) this.#idle.delete(key);
    else if (peer.forgettable(nowMs)) this.#forget(key);
    else this.#idle.set(key, peer); // behind the others: it was not idle while it had a connection
  }

  /** Drops idle peers from the front, up to one whose buckets are still filling: a constant amount each time it is called. */
  #sweep(nowMs: number): void {
    let passed = 0;
    for (const [key, peer] of this.#idle) {
      if (peer.forgettable(nowMs)) {
        this.#forget(key);
        continue;
      }
      // What it left behind is taken when its consumer likes: those behind it do not wait for that.
      if (peer.held === 0 || ++passed > PASSED) return;
      this.#idle.delete(key);
      this.#idle.set(key, peer);
    }
  }

  #forget(key: string): void {
    this.#peers.delete(key);
    this.#idle.delete(key);
  }
}
