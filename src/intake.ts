/**
 * Received bytes on their way to the consumer, at the pace that the ingress rates allow.
 *
 * What is over the rate is held, at most one receive as reading pauses, and handed on in pieces as
 * tokens come.
 *
 * @module
 */

import { keep } from "./keep.ts";
import type { Flow, Lane, PaceScope } from "./limits/lane.ts";
import type { Pacer } from "./limits/pacer.ts";
import type { Peer } from "./limits/peers.ts";

/** What the intake needs of its link. */
export interface IntakeOwner {
  /** Takes bytes that are paid for, with memory of their own. */
  deliver(bytes: Uint8Array): void;
  /** Bytes are held from now on: reading stops. */
  onHold(scope: PaceScope): void;
  /** None are held any more. */
  onFree(): void;
}

/** See the module. Invariant: reading is paused while bytes are held. */
export class Intake implements Flow {
  readonly #owner: IntakeOwner;
  readonly #pacer: Pacer;
  readonly #held: Uint8Array[] = [];
  readonly #peer: Peer | undefined;
  /** Made when a rate first applies. */
  #lane: Lane | undefined;
  #bytes = 0;
  #stopped = false;

  /** @param owner The link. @param pacer The rates. @param peer Whose rates apply. */
  constructor(owner: IntakeOwner, pacer: Pacer, peer: Peer | undefined) {
    this.#owner = owner;
    this.#pacer = pacer;
    this.#peer = peer;
  }

  /** Bytes held. */
  get held(): number {
    return this.#bytes;
  }

  /** `true`: the bytes are paid for, and go to the consumer now. Otherwise they are held here. */
  take(bytes: Uint8Array, owned: boolean): boolean {
    const lane = this.#lane ??= this.#pacer.lane(this.#peer, this);
    if (this.#bytes === 0 && lane.tryPay(bytes.length)) return true;
    this.#held.push(keep(bytes, owned));
    this.#bytes += bytes.length;
    const scope = lane.wait();
    if (this.#held.length === 1) this.#owner.onHold(scope);
    return false;
  }

  waiting(): number {
    return this.#stopped ? 0 : this.#bytes;
  }

  grant(n: number): void {
    for (let left = n; left > 0 && this.#held.length > 0;) {
      const first = this.#held[0]!;
      const piece = first.length <= left ? first : first.subarray(0, left);
      if (piece === first) this.#held.shift();
      else this.#held[0] = keep(first.subarray(left), true);
      this.#bytes -= piece.length;
      left -= piece.length;
      this.#owner.deliver(piece);
    }
    if (this.#bytes === 0) this.#owner.onFree();
  }

  /** The consumer is behind, or no longer: nothing is paid for meanwhile. */
  stop(stopped: boolean): void {
    if (this.#stopped === stopped) return;
    this.#stopped = stopped;
    if (!stopped && this.#bytes > 0) this.#lane!.wait();
  }

  /** Drops what is held. */
  close(): void {
    this.#lane?.close();
    this.#lane = undefined;
    this.#held.length = 0;
    this.#bytes = 0;
  }
}
