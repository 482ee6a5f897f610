/**
 * Who gets a connection: the checks before any work, in their order.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { ConfigSnapshot } from "../config/config.ts";
import { Handshakes } from "./handshakes.ts";
import { type Peer, PeerTable } from "./peers.ts";
import { type Permit, Permits } from "./permits.ts";
import { TokenBucket, tryConsumeAll } from "./token_bucket.ts";

/** Why a connection is not let in: the reason that is counted. */
export type Refusal = "peer_limit" | "rate_limited";

/** The slots of one connection. Releasing them again does nothing. */
export class Admitted implements Disposable {
  readonly #owner: Admission;
  readonly #slot: Permit;
  #key: string | undefined = undefined;
  #peer: Peer | undefined = undefined;
  #peerSlot: Permit | undefined = undefined;

  /** @internal */
  constructor(owner: Admission, slot: Permit) {
    this.#owner = owner;
    this.#slot = slot;
  }

  /** The peer, where it is known. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** @internal Counts it under its peer. */
  belong(key: string, peer: Peer, slot: Permit): void {
    this.#key = key;
    this.#peer = peer;
    this.#peerSlot = slot;
  }

  /** Gives the slots back. */
  release(): void {
    this.#slot.release();
    this.#peerSlot?.release();
    this.#peerSlot = undefined;
    const key = this.#key;
    this.#key = undefined; // by then another connection may have made the peer anew
    if (key !== undefined) this.#owner.settle(key, this.#peer!);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** See the module. Source: runtime §3. */
export class Admission {
  /** Slots for connections that are opening. */
  readonly handshakes: Handshakes;
  /** The peers. */
  readonly peers: PeerTable;
  readonly #config: () => ConfigSnapshot;
  readonly #clock: Clock;
  readonly #slots: Permits;
  readonly #accepts: TokenBucket;

  /** @param config The limits now. @param clock Monotonic time. */
  constructor(config: () => ConfigSnapshot, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#slots = new Permits(() => config().max_conns);
    this.#accepts = new TokenBucket(config().rates.accepts_per_sec, clock.now());
    this.handshakes = new Handshakes(() => config().max_conns);
    this.peers = new PeerTable(() => {
      const { max_conns, per_peer, rates } = config();
      return {
        maxConns: max_conns,
        perPeer: per_peer.max_conns,
        rates: {
          bytes: rates.per_peer_bytes_per_sec,
          accepts: rates.per_peer_accepts_per_sec,
        },
      };
    });
  }

  /** Connections that hold a slot. */
  get used(): number {
    return this.#slots.used;
  }

  /**
   * An accepted socket: a slot in all, one of its peer, the accept rates, room for its handshake.
   *
   * @param key The peer's key.
   */
  accept(key: string): Admitted | Refusal {
    const slot = this.#slots.take();
    if (slot === undefined) return "peer_limit";
    const admitted = new Admitted(this, slot);
    const refusal = this.#join(admitted, key) ?? this.#acceptRate(admitted.peer) ??
      (this.handshakes.admits(admitted.peer) ? undefined : "peer_limit");
    if (refusal === undefined) return admitted;
    admitted.release();
    return refusal;
  }

  /**
   * A dial: a slot in all, one of its peer.
   *
   * @param key The peer's key; `undefined` where it is not known yet: see {@linkcode Admission.identify}.
   */
  dial(key: string | undefined): Admitted | Refusal {
    const slot = this.#slots.take();
    if (slot === undefined) return "peer_limit";
    const admitted = new Admitted(this, slot);
    const refusal = this.#join(admitted, key);
    if (refusal === undefined) return admitted;
    admitted.release();
    return refusal;
  }

  /** Counts a connection under a peer that is known only now, unless it is counted already. */
  identify(admitted: Admitted, key: string | undefined): Refusal | undefined {
    return admitted.peer === undefined ? this.#join(admitted, key) : undefined;
  }

  /** @internal A connection of the peer has gone. */
  settle(key: string, peer: Peer): void {
    this.peers.settle(key, peer, this.#clock.now());
  }

  #join(admitted: Admitted, key: string | undefined): Refusal | undefined {
    if (key === undefined) return undefined;
    const now = this.#clock.now();
    const peer = this.peers.get(key, now);
    if (peer === undefined) return "rate_limited"; // the table is full
    const slot = peer.slots.take();
    this.peers.settle(key, peer, now);
    if (slot === undefined) return "peer_limit";
    admitted.belong(key, peer, slot);
    return undefined;
  }

  #acceptRate(peer: Peer | undefined): Refusal | undefined {
    const now = this.#clock.now();
    this.#accepts.setRate(this.#config().rates.accepts_per_sec, now);
    const buckets = peer === undefined ? [this.#accepts] : [this.#accepts, peer.accepts];
    return tryConsumeAll(buckets, 1, now) ? undefined : "rate_limited";
  }
}
