/**
 * What pays for the bytes of a writer, where an egress rate applies.
 *
 * @module
 */

import type { Flow, Lane } from "./limits/lane.ts";
import type { Pacer } from "./limits/pacer.ts";
import type { Peer } from "./limits/peers.ts";

/** See the module. */
export class WriteCredit {
  /** Bytes that are paid and not taken: the front of the queue. */
  bytes = 0;
  #pacer: Pacer | undefined;
  #peer: Peer | undefined;
  /** Made when a rate first applies. */
  #lane: Lane | undefined;
  readonly #flow: Flow;

  /** @param flow Whose bytes wait for tokens. */
  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Whose rates pay. */
  belong(pacer: Pacer, peer: Peer | undefined): void {
    this.#pacer = pacer;
    this.#peer = peer;
  }

  /** The lane, where a rate applies now. */
  get lane(): Lane | undefined {
    if (this.#pacer === undefined || !this.#pacer.limits(this.#peer)) return undefined;
    return this.#lane ??= this.#pacer.lane(this.#peer, this.#flow);
  }

  /** Pays for the first piece of an item of `n` bytes, where there is a rate. */
  pay(n: number): boolean {
    const { lane } = this;
    if (lane === undefined) return true;
    const first = Math.min(n, lane.piece);
    if (!lane.tryPay(first)) return false;
    this.bytes += first;
    return true;
  }

  /** Nothing is paid any more. */
  close(): void {
    this.#lane?.close();
  }
}
