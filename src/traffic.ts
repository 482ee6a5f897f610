/**
 * What went over one backend, as plain numbers that the data path adds to.
 *
 * @module
 */

import { EDGES, Histogram } from "./histogram.ts";

/** What TLS negotiated; `off` without TLS, `unknown` where the runtime cannot tell. Frozen. */
export type PqLabel = "off" | "hybrid" | "unknown";

/** The values of {@linkcode PqLabel}. */
export const PQ_LABELS: readonly PqLabel[] = Object.freeze(["off", "hybrid", "unknown"]);

/** See the module. */
export class Traffic {
  /** Connections admitted by listeners. */
  accepts = 0;
  /** Dials that gave a connection, by what TLS negotiated. */
  readonly dialsOk: Record<PqLabel, number> = { off: 0, hybrid: 0, unknown: 0 };
  /** Dials that failed: nothing was negotiated. */
  dialsErr = 0;
  /** TLS handshakes that failed. */
  tlsFailures = 0;
  /** Connections that are open or opening. */
  inflight = 0;
  /** Application bytes received. */
  bytesIn = 0;
  /** Application bytes sent. */
  bytesOut = 0;
  /** Seconds from accept or dial until usable. */
  readonly handshakes: Record<PqLabel, Histogram> = {
    off: new Histogram(EDGES.handshakeSeconds),
    hybrid: new Histogram(EDGES.handshakeSeconds),
    unknown: new Histogram(EDGES.handshakeSeconds),
  };
  /** Bytes of each receive. */
  readonly reads: Histogram = new Histogram(EDGES.sizeBytes);
  /** Bytes that each write handed to the runtime. */
  readonly writes: Histogram = new Histogram(EDGES.sizeBytes);
  /** Bytes of each chunk that a stream was cut into. */
  readonly chunks: Histogram = new Histogram(EDGES.sizeBytes);
  /** Bytes per second of each connection, at its close. */
  readonly throughput: Histogram = new Histogram(EDGES.throughputBytesPerSecond);
}
