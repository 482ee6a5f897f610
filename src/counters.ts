/**
 * Plain numbers that say what a transport has done.
 *
 * @module
 */

import type { ReloadResult } from "./config/config.ts";
import { type ErrorKind, KINDS, type RejectReason, rejectReason } from "./errors.ts";
import { Traffic } from "./traffic.ts";

/** What reading pauses for: a token bucket of the connection, the peer or all, or the byte budget. */
export type PauseScope = "conn" | "peer" | "global" | "budget";

/** A copy of a transport's counters; see {@linkcode Transport.counters}. */
export interface TransportCounters {
  /** Connections admitted by listeners. */
  readonly accepts: number;
  /** Dials that gave a connection. */
  readonly dialsOk: number;
  /** Dials that failed. */
  readonly dialsErr: number;
  /** Connections open now, those in their handshake included. */
  readonly inflight: number;
  /** Early refusals by reason: each refusal counts once. */
  readonly rejected: Readonly<Record<RejectReason, number>>;
  /** Connections closed for a fault in their bytes, by the fault's name. */
  readonly malformed: Readonly<Record<string, number>>;
  /** Connections that the peer closed or reset out of turn. */
  readonly ioClosed: number;
  /** Items refused because a writer inbox was full, and connections given up for want of memory. */
  readonly busy: number;
  /** Times reading paused for a limit, by its scope; a pause is pacing, not a refusal. */
  readonly readPauses: Readonly<Record<PauseScope, number>>;
  /** Expired deadlines, by operation. */
  readonly timeouts: Readonly<Record<string, number>>;
  /** Times `accept` failed for a reason of the system, such as no free descriptor. */
  readonly acceptFaults: number;
  /** Hooks of the host that threw. */
  readonly hookFailures: number;
  /** Configurations offered by a reload or a rebind, by what they came to. */
  readonly reloads: Readonly<Record<ReloadResult["result"], number>>;
  /** Audit events dropped because the host's hook did not keep up; the oldest of 1024 go. */
  readonly auditDropped: number;
  /** Application bytes received. */
  readonly bytesIn: number;
  /** Application bytes sent. */
  readonly bytesOut: number;
}

/** The live counters: fields that the data path adds to. */
export class Counters {
  ioClosed = 0;
  /** Connections that became usable. */
  opened = 0;
  /** Of these, given up by this end, or cut off at the deadline of a drain. */
  aborted = 0;
  /** Items that a writer inbox had no room for. */
  busy = 0;
  /** Connections given up as there was no room for what they had sent. */
  busyReads = 0;
  acceptFaults = 0;
  hookFailures = 0;
  auditDropped = 0;
  readonly reloads: Record<ReloadResult["result"], number> = {
    applied: 0,
    rejected: 0,
    rebind_required: 0,
  };
  readonly #traffic = new Map<string, Traffic>();
  readonly readPauses: Record<PauseScope, number> = { conn: 0, peer: 0, global: 0, budget: 0 };
  readonly #rejected = new Map<RejectReason, number>();
  readonly #malformed = new Map<string, number>();
  readonly #timeouts = new Map<string, number>();

  /** What went over a backend. */
  of(backend: string): Traffic {
    let traffic = this.#traffic.get(backend);
    if (traffic === undefined) this.#traffic.set(backend, traffic = new Traffic());
    return traffic;
  }

  /** All that there is, by backend. */
  get traffic(): ReadonlyMap<string, Traffic> {
    return this.#traffic;
  }

  /** Refusals by reason. */
  get rejected(): ReadonlyMap<RejectReason, number> {
    return this.#rejected;
  }

  /** Expired deadlines by operation. */
  get timeouts(): ReadonlyMap<string, number> {
    return this.#timeouts;
  }

  /** Counts one refusal or failure under its kind; `fault` and `op` come from our own closed sets. */
  failed(kind: ErrorKind, op: string, fault: string | undefined): void {
    const reason = rejectReason(kind);
    if (reason !== undefined) add(this.#rejected, reason);
    if (kind === "io_closed") this.ioClosed++;
    if (kind === "busy" && op === "read") this.busyReads++;
    else if (kind === "busy") this.busy++;
    if (kind === "timeout") add(this.#timeouts, op);
    if (fault !== undefined) add(this.#malformed, fault);
  }

  /** Reading of a connection pauses. */
  paused(scope: PauseScope): void {
    this.readPauses[scope]++;
  }

  /** A copy of all figures. */
  snapshot(inflight: number): TransportCounters {
    const rejected = Object.fromEntries(
      Object.values(KINDS).flatMap(({ reason }) =>
        reason === undefined ? [] : [[reason, this.#rejected.get(reason) ?? 0]]
      ),
    ) as Record<RejectReason, number>;
    const sum = (of: (traffic: Traffic) => number): number => {
      let n = 0;
      for (const traffic of this.#traffic.values()) n += of(traffic);
      return n;
    };
    return {
      accepts: sum(({ accepts }) => accepts),
      dialsOk: sum(({ dialsOk: { off, hybrid, unknown } }) => off + hybrid + unknown),
      dialsErr: sum(({ dialsErr }) => dialsErr),
      inflight,
      rejected,
      malformed: Object.fromEntries(this.#malformed),
      ioClosed: this.ioClosed,
      busy: this.busy + this.busyReads,
      readPauses: { ...this.readPauses },
      timeouts: Object.fromEntries(this.#timeouts),
      acceptFaults: this.acceptFaults,
      hookFailures: this.hookFailures,
      reloads: { ...this.reloads },
      auditDropped: this.auditDropped,
      bytesIn: sum(({ bytesIn }) => bytesIn),
      bytesOut: sum(({ bytesOut }) => bytesOut),
    };
  }
}

function add<K>(map: Map<K, number>, key: K): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
