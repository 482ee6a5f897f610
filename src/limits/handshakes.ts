/**
 * Slots for connections that are not usable yet.
 *
 * @module
 */

/** A connection in its handshake, as the slots see it. */
export interface Opening {
  /** Whether the peer has said something that only an honest one says: a whole ClientHello. */
  readonly greeted: boolean;
  /** Breaks it off; its slot is back when this returns. */
  evict(): void;
}

/** Share of all slots that one peer may hold. */
const PEER_SHARE = 1 / 8;

/**
 * A quarter of the connections, at least 64, may be opening at a time, an eighth of these for one peer.
 * When all slots are taken, the oldest that has said nothing makes room. Source: runtime §3, check 6.
 */
export class Handshakes {
  readonly #maxConns: () => number;
  /** Openings and their peers, the oldest in front. */
  readonly #openings = new Map<Opening, unknown>();
  readonly #byPeer = new Map<unknown, number>();

  /** @param maxConns Most connections, now. */
  constructor(maxConns: () => number) {
    this.#maxConns = maxConns;
  }

  /** Slots in all. */
  get slots(): number {
    return Math.max(64, Math.floor(this.#maxConns() / 4));
  }

  /** Slots that one peer may hold. */
  get perPeer(): number {
    return Math.floor(this.slots * PEER_SHARE);
  }

  /** Slots in use. */
  get used(): number {
    return this.#openings.size;
  }

  /** Peers that hold some. */
  get peers(): number {
    return this.#byPeer.size;
  }

  /** Whether `peer` may have one more, after one that is silent made room where it must. */
  admits(peer: unknown): boolean {
    const { slots } = this;
    if (peer !== undefined && (this.#byPeer.get(peer) ?? 0) >= this.perPeer) return false;
    if (this.#openings.size < slots) return true;
    for (const opening of this.#openings.keys()) {
      if (opening.greeted) continue;
      opening.evict();
      break;
    }
    return this.#openings.size < slots;
  }

  /** Takes a slot, after {@linkcode Handshakes.admits}. */
  add(opening: Opening, peer: unknown): void {
    this.#openings.set(opening, peer);
    if (peer !== undefined) this.#byPeer.set(peer, (this.#byPeer.get(peer) ?? 0) + 1);
  }

  /** Gives the slot back; once more does nothing. */
  remove(opening: Opening): void {
    if (!this.#openings.has(opening)) return;
    const peer = this.#openings.get(opening);
    this.#openings.delete(opening);
    if (peer === undefined) return;
    const left = this.#byPeer.get(peer)! - 1;
    if (left > 0) this.#byPeer.set(peer, left);
    else this.#byPeer.delete(peer);
  }
}
