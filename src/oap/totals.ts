/**
 * What all framed connections of a transport have counted together.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { Histogram } from "../histogram.ts";
import type { Carrier } from "../sink.ts";
import { FrameTimer } from "./frame_timer.ts";
import { type FramedCounters, framedCounters } from "./framed_counters.ts";

/** One framed connection, as the totals see it. */
export interface Counted {
  /** What it has counted. */
  readonly counted: FramedCounters;
  /** Requests of this end without an answer. */
  readonly inflight: number;
  /** Most of these at a time. */
  readonly maxInflight: number;
  /** Frames that nobody has taken. */
  readonly queued: number;
}

/** See the module. */
export class OapTotals {
  /** Takes the times of decoding. */
  readonly reads: FrameTimer = new FrameTimer();
  /** Takes the times of encoding and queueing. */
  readonly writes: FrameTimer = new FrameTimer();
  readonly #live: Set<Counted> = new Set();
  readonly #past: FramedCounters = framedCounters();

  /** The totals of a connection's transport. */
  static of(carrier: Pick<Carrier, "shared">): OapTotals {
    return carrier.shared(KEY, () => new OapTotals());
  }

  /** Counts a connection in. */
  add(connection: Counted): void {
    this.#live.add(connection);
  }

  /** A connection is over: what it counted stays. */
  remove(connection: Counted): void {
    if (this.#live.delete(connection)) addTo(this.#past, connection.counted, 1);
  }

  /** What a connection that was counted out still decodes in this call counts, too; it is not kept for that. */
  late(connection: Counted, work: () => void): void {
    if (this.#live.has(connection)) return work();
    addTo(this.#past, connection.counted, -1);
    this.#live.add(connection);
    try {
      work();
    } finally {
      this.remove(connection);
    }
  }

  /** The sum of what all connections counted, those that are over included. */
  counters(): FramedCounters {
    const sum = framedCounters();
    addTo(sum, this.#past, 1);
    for (const { counted } of this.#live) addTo(sum, counted, 1);
    return sum;
  }

  /** Seconds that decoding took, of each frame; of a read, each frame its part. */
  get readSeconds(): Histogram {
    return this.reads.of(this.counters().framesIn);
  }

  /** Seconds that encoding and queueing took, of each frame. */
  get writeSeconds(): Histogram {
    return this.writes.of(this.counters().framesOut);
  }

  /** Requests without an answer, of all connections. */
  get inflight(): number {
    let n = 0;
    for (const connection of this.#live) n += connection.inflight;
    return n;
  }

  /** Requests that may be sent before an answer must come, of the connection that has the fewest left. */
  get free(): number {
    let n: number = CAPS.inflightFrames;
    for (const { inflight, maxInflight } of this.#live) n = Math.min(n, maxInflight - inflight);
    return Math.max(0, n); // an agreement can lower the most below what is unanswered
  }

  /** Frames that nobody has taken, of all connections. */
  get queued(): number {
    let n = 0;
    for (const connection of this.#live) n += connection.queued;
    return n;
  }
}

const KEY: symbol = Symbol("ron-transport.oap");

function addTo(sum: FramedCounters, more: FramedCounters, times: 1 | -1): void {
  for (const key of Object.keys(more) as (keyof FramedCounters)[]) {
    if (key !== "rejects") sum[key] += times * more[key];
  }
  for (const [reason, n] of Object.entries(more.rejects)) {
    sum.rejects[reason] = (sum.rejects[reason] ?? 0) + times * n;
  }
}
