/**
 * One connection's place in a pacer.
 *
 * @module
 */

import type { Pacer } from "./pacer.ts";
import type { Peer } from "./peers.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** Which bucket a flow had to wait for. */
export type PaceScope = "conn" | "peer" | "global";

/** One connection's bytes in one direction. */
export interface Flow {
  /** Bytes that wait for tokens now; 0 when there are none any more. */
  waiting(): number;
  /** `n` bytes are paid. May ask again, but not synchronously take. */
  grant(n: number): void;
}

/** One connection's place in a {@linkcode Pacer}. */
export class Lane {
  /** @internal */
  readonly peer: Peer | undefined;
  /** @internal */
  readonly flow: Flow;
  /** @internal */
  readonly bucket: TokenBucket;
  /** @internal */
  queued = false;
  readonly #pacer: Pacer;

  /** @internal Made by `Pacer.lane`. */
  constructor(pacer: Pacer, peer: Peer | undefined, flow: Flow, bucket: TokenBucket) {
    this.#pacer = pacer;
    this.peer = peer;
    this.flow = flow;
    this.bucket = bucket;
  }

  /** Largest piece that is paid at once, in bytes. */
  get piece(): number {
    return this.#pacer.piece(this);
  }

  /** Pays `n` bytes now, or nothing. */
  tryPay(n: number): boolean {
    return this.#pacer.tryPay(this, n);
  }

  /** The flow waits for tokens; returns the scope that keeps it. Its `grant` follows. */
  wait(): PaceScope {
    const scope = this.#pacer.scope(this);
    this.#pacer.enqueue(this);
    return scope;
  }

  /** The flow waits no more. */
  close(): void {
    this.#pacer.dequeue(this);
  }
}
