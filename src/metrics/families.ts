/**
 * Every metric: its name, type, labels, meaning, and where its value comes from. Frozen names, labels and
 * edges. Source: observability §1.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { PauseScope } from "../counters.ts";
import type { RejectReason } from "../errors.ts";
import { EDGES, Histogram } from "../histogram.ts";
import { CODEC_REASONS } from "../oap/codec_error.ts";
import { wasmTraps } from "../oap/instance.ts";
import { OapTotals } from "../oap/totals.ts";
import type { TransportStats } from "../stats.ts";
import { PQ_LABELS, type PqLabel, Traffic } from "../traffic.ts";

/** Labels of one series, all from closed sets. */
export type Labels = Readonly<Record<string, string>>;

/** One series. */
export interface Series<T> {
  /** Its labels. */
  readonly labels: Labels;
  /** Its value. */
  readonly value: T;
}

/** One metric. */
export type Family =
  | {
    readonly name: string;
    readonly type: "counter" | "gauge";
    readonly help: string;
    /** Names of its labels. */
    readonly labels: readonly string[];
    /** Its series, summed over the transports. */
    readonly read: (
      all: readonly TransportStats[],
      windows: readonly Window[],
    ) => readonly Series<number>[];
  }
  | {
    readonly name: string;
    readonly type: "histogram";
    readonly help: string;
    /** See above. */
    readonly labels: readonly string[];
    /** Its upper edges. */
    readonly edges: readonly number[];
    /** See above. */
    readonly read: (all: readonly TransportStats[]) => readonly Series<Histogram>[];
  };

/** A window of acknowledgements that is watched: an `AckWindow`. */
export interface Window {
  /** Frames that may be sent before the next acknowledgement. */
  readonly free: number;
}

const BACKENDS = Object.freeze(["tcp", "tls", "arti"] as const);
const REASONS: readonly RejectReason[] = Object.freeze(
  ["timeout", "tls", "too_large", "rate_limited", "peer_limit", "arti_bootstrap"] as const,
);
const OPS = Object.freeze(["dial", "handshake", "read", "write", "idle"] as const);
const SCOPES: readonly PauseScope[] = Object.freeze(["conn", "peer", "global", "budget"] as const);
const NO_TRAFFIC = Object.freeze(new Traffic());

/** The backends that are configured or were used: the others would be series of zeros. */
function backends(all: readonly TransportStats[]): readonly string[] {
  return BACKENDS.filter((backend) =>
    all.some(({ counters, backend: own }) => own === backend || counters.traffic.has(backend))
  );
}

type Read = (traffic: Traffic) => number;

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  let n = 0;
  for (const one of all) n += of(one);
  return n;
}

const one = (value: number): readonly Series<number>[] => [{ labels: {}, value }];

const NEVER = (queue: string): Series<number> => ({ labels: { queue }, value: 0 });

const byBackend = (read: Read) => (all: readonly TransportStats[]): Series<number>[] =>
  backends(all).map((backend) => ({
    labels: { backend },
    value: sum(all, ({ counters }) => read(counters.traffic.get(backend) ?? NO_TRAFFIC)),
  }));

const merged = (edges: readonly number[], parts: readonly Histogram[]): Histogram => {
  const all = new Histogram(edges);
  for (const { counts, sum: more } of parts) {
    counts.forEach((n, i) => all.counts[i]! += n);
    all.sum += more;
  }
  return all;
};

const histogramBy =
  (edges: readonly number[], of: (traffic: Traffic) => Histogram) =>
  (all: readonly TransportStats[]): Series<Histogram>[] =>
    backends(all).map((backend) => ({
      labels: { backend },
      value: merged(
        edges,
        all.flatMap(({ counters }) => {
          const traffic = counters.traffic.get(backend);
          return traffic === undefined ? [] : [of(traffic)];
        }),
      ),
    }));

/** TCP negotiates nothing; over TLS, Tor included, anything may have been. */
const pqOf = (backend: string): readonly PqLabel[] => backend === "tcp" ? ["off"] : PQ_LABELS;

const totals = (all: readonly TransportStats[]): OapTotals[] => all.map((s) => OapTotals.of(s));

const counter = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (all: readonly TransportStats[]) => readonly Series<number>[],
): Family => Object.freeze({ name, type: "counter", help, labels, read });

const gauge = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (all: readonly TransportStats[], windows: readonly Window[]) => readonly Series<number>[],
): Family => Object.freeze({ name, type: "gauge", help, labels, read });

const histogram = (
  name: string,
  help: string,
  labels: readonly string[],
  edges: readonly number[],
  read: (all: readonly TransportStats[]) => readonly Series<Histogram>[],
): Family => Object.freeze({ name, type: "histogram", help, labels, edges, read });

/** All metrics, in the order they are exposed. */
export const FAMILIES: readonly Family[] = Object.freeze([
  counter(
    "transport_dials_total",
    "Outbound attempts.",
    ["backend", "result", "pq"],
    (all) =>
      backends(all).flatMap((backend) => {
        const of = (read: Read): number =>
          sum(all, ({ counters }) => read(counters.traffic.get(backend) ?? NO_TRAFFIC));
        return [
          ...pqOf(backend).map((pq) => ({
            labels: { backend, result: "ok", pq },
            value: of(({ dialsOk }) => dialsOk[pq]),
          })),
          {
            labels: { backend, result: "err", pq: backend === "tcp" ? "off" : "unknown" },
            value: of(({ dialsErr }) => dialsErr),
          },
        ];
      }),
  ),
  counter(
    "transport_accepts_total",
    "Inbound connections that were admitted.",
    ["backend"],
    byBackend(({ accepts }) => accepts),
  ),
  histogram(
    "handshake_latency_seconds",
    "From accept or connect until the connection was usable.",
    ["backend", "pq"],
    EDGES.handshakeSeconds,
    (all) =>
      backends(all).flatMap((backend) =>
        pqOf(backend).map((pq) => ({
          labels: { backend, pq },
          value: merged(
            EDGES.handshakeSeconds,
            all.flatMap(({ counters }) => counters.traffic.get(backend)?.handshakes[pq] ?? []),
          ),
        }))
      ),
  ),
  counter(
    "rejected_total",
    "Early refusals, by reason.",
    ["reason"],
    (all) =>
      REASONS.map((reason) => ({
        labels: { reason },
        value: sum(all, ({ counters }) => counters.rejected.get(reason) ?? 0),
      })),
  ),
  gauge(
    "conn_inflight",
    "Connections that are open or opening.",
    ["backend"],
    byBackend(({ inflight }) => inflight),
  ),
  counter(
    "bytes_in_total",
    "Application bytes received.",
    ["backend"],
    byBackend(({ bytesIn }) => bytesIn),
  ),
  counter(
    "bytes_out_total",
    "Application bytes sent.",
    ["backend"],
    byBackend(({ bytesOut }) => bytesOut),
  ),
  histogram(
    "io_chunk_bytes",
    "Bytes of each chunk that a body was cut into.",
    ["backend"],
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ chunks }) => chunks),
  ),
  histogram(
    "io_read_size_bytes",
    "Bytes of each receive.",
    ["backend"],
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ reads }) => reads),
  ),
  histogram(
    "io_write_size_bytes",
    "Bytes of each write.",
    ["backend"],
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ writes }) => writes),
  ),
  histogram(
    "throughput_bytes_per_sec",
    "Bytes per second of each connection, both ways, at its close.",
    ["backend"],
    EDGES.throughputBytesPerSecond,
    histogramBy(EDGES.throughputBytesPerSecond, ({ throughput }) => throughput),
  ),
  counter(
    "tls_handshake_failures_total",
    "TLS handshakes that failed.",
    ["backend"],
    byBackend(({ tlsFailures }) => tlsFailures),
  ),
  counter(
    "io_timeouts_total",
    "Deadlines that passed, by operation.",
    ["op"],
    (all) =>
      OPS.map((op) => ({
        labels: { op },
        // A ping that gets no answer finds a peer that is idle for good.
        value: sum(all, ({ counters: { timeouts } }) =>
          (timeouts.get(op) ?? 0) + (op === "idle" ? timeouts.get("request") ?? 0 : 0)),
      })),
  ),
  counter(
    "io_closed_total",
    "Connections that the peer closed or reset out of turn.",
    [],
    (all) => one(sum(all, ({ counters }) => counters.ioClosed)),
  ),
  counter(
    "transport_read_pauses_total",
    "Times reading paused for a limit: pacing, not a refusal.",
    ["scope"],
    (all) =>
      SCOPES.map((scope) => ({
        labels: { scope },
        value: sum(all, ({ counters }) => counters.readPauses[scope]),
      })),
  ),
  counter(
    "wasm_reinstantiations_total",
    "Instances of the WebAssembly module that were replaced after a trap, in this process.",
    [],
    () => one(wasmTraps()),
  ),
  counter("busy_rejections_total", "Items refused because a queue was full.", ["queue"], (all) => [
    { labels: { queue: "writer_inbox" }, value: sum(all, ({ counters }) => counters.busy) },
    {
      labels: { queue: "work" },
      value: sum(all, ({ counters }) => counters.busyReads) +
        sum(totals(all).map((t) => t.counters()), ({ busy, refused }) => busy + refused),
    },
    NEVER("events"), // that queue takes all, and drops the oldest
  ]),
  counter("queue_dropped_total", "Items that a full queue dropped.", ["queue"], (all) => [
    NEVER("writer_inbox"), // that one refuses
    { labels: { queue: "work" }, value: sum(totals(all), (t) => t.counters().dropped) },
    { labels: { queue: "events" }, value: sum(all, ({ counters }) => counters.auditDropped) },
  ]),
  gauge("queue_depth", "Items that wait in a queue.", ["queue"], (all) => [
    { labels: { queue: "writer_inbox" }, value: sum(all, ({ inboxItems }) => inboxItems) },
    { labels: { queue: "work" }, value: sum(totals(all), ({ queued }) => queued) },
    { labels: { queue: "events" }, value: sum(all, ({ eventsWaiting }) => eventsWaiting) },
  ]),
  counter(
    "bus_lagged_total",
    "Events that were overwritten because the listener was slow.",
    [],
    (all) => one(sum(all, ({ counters }) => counters.auditDropped)),
  ),
  counter(
    "tasks_spawned_total",
    "Reader and writer loops that were started.",
    ["kind"],
    (all) =>
      ["reader", "writer"].map((kind) => ({
        labels: { kind },
        value: sum(all, ({ counters }) => counters.opened),
      })),
  ),
  counter(
    "tasks_aborted_total",
    "Reader and writer loops that were cut off: aborted, or at the deadline of a drain.",
    ["kind"],
    (all) =>
      ["reader", "writer"].map((kind) => ({
        labels: { kind },
        value: sum(all, ({ counters }) => counters.aborted),
      })),
  ),
  counter(
    "pq_handshake_total",
    "TLS handshakes, by what was negotiated.",
    ["backend", "mode", "result"],
    (all) =>
      (["off", "hybrid"] as const).flatMap((mode) => [
        {
          labels: { backend: "tls", mode, result: "ok" },
          value: sum(
            all,
            ({ counters }) => counters.traffic.get("tls")?.handshakes[mode].count ?? 0,
          ),
        },
        {
          // Nothing was negotiated: it counts under what was asked for.
          labels: { backend: "tls", mode, result: "fail" },
          value: sum(
            all.filter(({ pqMode }) => pqMode === mode),
            ({ counters }) => counters.traffic.get("tls")?.tlsFailures ?? 0,
          ),
        },
      ]),
  ),
  counter("oap_frames_total", "Frames decoded, by kind.", ["kind"], (all) => {
    const counted = totals(all).map((t) => t.counters());
    const kinds = {
      HELLO: "hello",
      START: "start",
      DATA: "data",
      END: "end",
      ERROR: "error",
    } as const;
    return [
      ...Object.entries(kinds).map(([kind, key]) => ({
        labels: { kind },
        value: sum(counted, (c) => c[key]),
      })),
      { labels: { kind: "ACK" }, value: 0 }, // OAP/1 has no such frame on the wire
    ];
  }),
  counter("oap_rejects_total", "Frames refused by the codec, by reason.", ["reason"], (all) => {
    const rejects = totals(all).map((t) => t.counters().rejects);
    return CODEC_REASONS.map((reason) => ({
      labels: { reason },
      value: sum(rejects, (r) => r[reason] ?? 0),
    }));
  }),
  counter(
    "oap_frame_bytes",
    "Payload bytes of decoded frames; of inflated ones, their inflated size.",
    [],
    (all) => one(sum(totals(all), (t) => t.counters().payloadIn)),
  ),
  gauge(
    "oap_inflight_frames",
    "Requests without an answer.",
    [],
    (all) => one(sum(totals(all), ({ inflight }) => inflight)),
  ),
  gauge(
    "oap_ack_window",
    "Frames that may be sent before an answer or acknowledgement must come: the least of all windows.",
    [],
    (all, windows) =>
      one(Math.min(
        ...[
          CAPS.inflightFrames,
          ...windows.map(({ free }) => free),
          ...totals(all).map(({ free }) => free),
        ],
      )),
  ),
  histogram(
    "oap_read_frame_seconds",
    "Time to decode a frame.",
    [],
    EDGES.oapFrameSeconds,
    (all) => [{
      labels: {},
      value: merged(EDGES.oapFrameSeconds, totals(all).map((t) => t.readSeconds)),
    }],
  ),
  histogram(
    "oap_write_frame_seconds",
    "Time to encode and queue a frame; one of 64 is timed.",
    [],
    EDGES.oapFrameSeconds,
    (all) => [{
      labels: {},
      value: merged(EDGES.oapFrameSeconds, totals(all).map((t) => t.writeSeconds)),
    }],
  ),
]);
