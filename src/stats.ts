/**
 * What metrics read of a transport. Reading changes nothing, and costs the data path nothing.
 *
 * @module
 */

import type { Backend } from "./config/config.ts";
import type { Counters } from "./counters.ts";

/** The queues that are watched. Frozen. */
export type QueueLabel = "writer_inbox" | "work" | "events";

/** The live figures of one transport. */
export interface TransportStats {
  /** What it has counted. */
  readonly counters: Counters;
  /** What carries the bytes unless an address says otherwise. */
  readonly backend: Backend;
  /** What TLS is asked to negotiate. */
  readonly pqMode: "off" | "hybrid";
  /** Items in the writer inboxes of all connections. */
  readonly inboxItems: number;
  /** Audit events that wait for the host's hook. */
  readonly eventsWaiting: number;
  /** What connections share, by protocol; see `Carrier.shared`. */
  shared<T extends object>(key: symbol, make: () => T): T;
}
