/**
 * The limits of one transport, in one place.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { ConfigSnapshot } from "../config/config.ts";
import { Admission } from "./admission.ts";
import type { ByteBudget } from "./byte_budget.ts";
import { Pacer } from "./pacer.ts";

/** See the module. */
export class Limits {
  /** Who gets a connection. */
  readonly admission: Admission;
  /** Bytes from peers. */
  readonly ingress: Pacer;
  /** Bytes to peers. */
  readonly egress: Pacer;
  /** Bytes held. */
  readonly budget: ByteBudget;

  /**
   * @param config The configuration now.
   * @param clock Monotonic time.
   * @param budget The pool of bytes; shared where the host says so.
   */
  constructor(config: () => ConfigSnapshot, clock: Clock, budget: ByteBudget) {
    const chunk = (): number => config().limits.chunk_bytes;
    this.admission = new Admission(config, clock);
    const conn = (): number => config().rates.per_conn_bytes_per_sec;
    const peer = (): number => config().rates.per_peer_bytes_per_sec;
    this.ingress = new Pacer(
      clock,
      { conn, peer, global: () => config().rates.global_ingress_bytes_per_sec },
      chunk,
      (peer) => peer.ingress,
    );
    this.egress = new Pacer(
      clock,
      { conn, peer, global: () => config().rates.global_egress_bytes_per_sec },
      chunk,
      (peer) => peer.egress,
    );
    this.budget = budget;
  }

  /** The configuration is another now: who waits for a rate waits for the new one. */
  changed(): void {
    this.ingress.changed();
    this.egress.changed();
  }
}
