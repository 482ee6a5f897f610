/**
 * Every metric: its name, type, labels, meaning, and where its value comes from. Frozen names, labels and
 * edges. Source: observability §1.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { PauseScope } from "../counters.ts";
import type { RejectReason } from "../errors.ts";
import { EDGES } from "../histogram.ts";
import { CODEC_REASONS, FAULTS } from "../oap/codec_error.ts";
import { wasmTraps } from "../oap/instance.ts";
import { OapTotals } from "../oap/totals.ts";
import type { QueueLabel, TransportStats } from "../stats.ts";
import { PQ_LABELS } from "../traffic.ts";
import {
  byBackend,
  counter,
  type Family,
  gauge,
  histogram,
  histogramBy,
  merged,
  ofBackend,
  one,
  type Read,
  sum,
} from "./family.ts";
import { BACKENDS, backendsInUse, pqSeen, tlsInUse } from "./present.ts";

const REASONS: readonly RejectReason[] = Object.freeze(
  ["timeout", "tls", "too_large", "rate_limited", "peer_limit", "arti_bootstrap"] as const,
);
const OPS = Object.freeze(["dial", "handshake", "read", "write", "idle"] as const);
const SCOPES: readonly PauseScope[] = Object.freeze(["conn", "peer", "global", "budget"] as const);
const QUEUES: readonly QueueLabel[] = Object.freeze(["writer_inbox", "work", "events"] as const);
/** What a fault of the codec counts under. */
const REACHED_REASONS = Object.freeze(
  CODEC_REASONS.filter((reason) => Object.values(FAULTS).some((fault) => fault.reason === reason)),
);
const LOOPS = Object.freeze(["reader", "writer"] as const);
const PQ_MODES = Object.freeze(["off", "hybrid"] as const);
/** Kinds by what counts them; OAP/1 has no ACK on the wire. */
const FRAME_KINDS = Object.freeze(
  {
    HELLO: "hello",
    START: "start",
    DATA: "data",
    END: "end",
    ERROR: "error",
    ACK: undefined,
  } as const,
);
const totals = (all: readonly TransportStats[]): OapTotals[] => all.map((s) => OapTotals.of(s));

/** All metrics, in the order they are exposed. */
export const FAMILIES: readonly Family[] = Object.freeze([
  counter(
    "transport_dials_total",
    "Outbound attempts.",
    { backend: BACKENDS, result: ["ok", "err"], pq: PQ_LABELS },
    (all) =>
      backendsInUse(all).flatMap((backend) => {
        const of = (read: Read): number => ofBackend(all, backend, read);
        return [
          ...pqSeen(all, backend, ({ dialsOk }, pq) => dialsOk[pq] > 0).map((pq) => ({
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
    { backend: BACKENDS },
    byBackend(({ accepts }) => accepts),
  ),
  histogram(
    "handshake_latency_seconds",
    "From accept or connect until the connection was usable.",
    { backend: BACKENDS, pq: PQ_LABELS },
    EDGES.handshakeSeconds,
    (all) =>
      backendsInUse(all).flatMap((backend) =>
        pqSeen(all, backend, ({ handshakes }, pq) => handshakes[pq].count > 0).map((pq) => ({
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
    { reason: REASONS },
    (all) =>
      REASONS.map((reason) => ({
        labels: { reason },
        value: sum(all, ({ counters }) => counters.rejected.get(reason) ?? 0),
      })),
  ),
  gauge(
    "conn_inflight",
    "Connections that are open or opening.",
    { backend: BACKENDS },
    byBackend(({ inflight }) => inflight),
  ),
  counter(
    "bytes_in_total",
    "Application bytes received.",
    { backend: BACKENDS },
    byBackend(({ bytesIn }) => bytesIn),
  ),
  counter(
    "bytes_out_total",
    "Application bytes sent.",
    { backend: BACKENDS },
    byBackend(({ bytesOut }) => bytesOut),
  ),
  histogram(
    "io_chunk_bytes",
    "Bytes of each chunk that a body was cut into.",
    { backend: BACKENDS },
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ chunks }) => chunks),
  ),
  histogram(
    "io_read_size_bytes",
    "Bytes of each receive.",
    { backend: BACKENDS },
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ reads }) => reads),
  ),
  histogram(
    "io_write_size_bytes",
    "Bytes of each write.",
    { backend: BACKENDS },
    EDGES.sizeBytes,
    histogramBy(EDGES.sizeBytes, ({ writes }) => writes),
  ),
  histogram(
    "throughput_bytes_per_sec",
    "Bytes per second of each connection, both ways, at its close; where one backend is in use.",
    { backend: BACKENDS },
    EDGES.throughputBytesPerSecond,
    // Optional, and fourteen series a backend: a second one would lead above 200.
    (all) =>
      backendsInUse(all).length > 1
        ? []
        : histogramBy(EDGES.throughputBytesPerSecond, ({ throughput }) => throughput)(all),
  ),
  counter(
    "tls_handshake_failures_total",
    "TLS handshakes that failed.",
    { backend: BACKENDS },
    byBackend(({ tlsFailures }) => tlsFailures, tlsInUse),
  ),
  counter(
    "io_timeouts_total",
    "Deadlines that passed, by operation.",
    { op: OPS },
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
    {},
    (all) => one(sum(all, ({ counters }) => counters.ioClosed)),
  ),
  counter(
    "transport_read_pauses_total",
    "Times reading paused for a limit: pacing, not a refusal.",
    { scope: SCOPES },
    (all) =>
      SCOPES.map((scope) => ({
        labels: { scope },
        value: sum(all, ({ counters }) => counters.readPauses[scope]),
      })),
  ),
  counter(
    "wasm_reinstantiations_total",
    "Instances of the WebAssembly module that were replaced after a trap, in this process.",
    {},
    () => one(wasmTraps()),
  ),
  counter(
    "busy_rejections_total",
    "Items refused because a queue was full.",
    { queue: QUEUES },
    (all) => [
      { labels: { queue: "writer_inbox" }, value: sum(all, ({ counters }) => counters.busy) },
      {
        labels: { queue: "work" },
        value: sum(all, ({ counters }) => counters.busyReads) +
          sum(totals(all).map((t) => t.counters()), ({ busy, refused }) => busy + refused),
      },
      // that of events takes all, and drops the oldest
    ],
  ),
  counter("queue_dropped_total", "Items that a full queue dropped.", { queue: QUEUES }, (all) => [
    // a writer's inbox refuses instead
    { labels: { queue: "work" }, value: sum(totals(all), (t) => t.counters().dropped) },
    { labels: { queue: "events" }, value: sum(all, ({ counters }) => counters.auditDropped) },
  ]),
  gauge("queue_depth", "Items that wait in a queue.", { queue: QUEUES }, (all) => [
    { labels: { queue: "writer_inbox" }, value: sum(all, ({ inboxItems }) => inboxItems) },
    { labels: { queue: "work" }, value: sum(totals(all), ({ queued }) => queued) },
    { labels: { queue: "events" }, value: sum(all, ({ eventsWaiting }) => eventsWaiting) },
  ]),
  counter(
    "bus_lagged_total",
    "Events that were overwritten because the listener was slow.",
    {},
    (all) => one(sum(all, ({ counters }) => counters.auditDropped)),
  ),
  counter(
    "tasks_spawned_total",
    "Reader and writer loops that were started.",
    { kind: LOOPS },
    (all) =>
      LOOPS.map((kind) => ({
        labels: { kind },
        value: sum(all, ({ counters }) => counters.opened),
      })),
  ),
  counter(
    "tasks_aborted_total",
    "Reader and writer loops that were cut off: aborted, or at the deadline of a drain.",
    { kind: LOOPS },
    (all) =>
      LOOPS.map((kind) => ({
        labels: { kind },
        value: sum(all, ({ counters }) => counters.aborted),
      })),
  ),
  counter(
    "pq_handshake_total",
    "TLS handshakes, by what was negotiated.",
    { backend: ["tls"], mode: PQ_MODES, result: ["ok", "fail"] },
    (all) =>
      PQ_MODES.flatMap((mode) => {
        const ok = sum(
          all,
          ({ counters }) => counters.traffic.get("tls")?.handshakes[mode].count ?? 0,
        );
        // Nothing was negotiated by one that failed: it counts under what was asked for.
        const asking = all.filter(({ pqMode }) => pqMode === mode);
        const fail = sum(asking, ({ counters }) => counters.traffic.get("tls")?.tlsFailures ?? 0);
        const labels = { backend: "tls", mode };
        return [
          ...(ok > 0 || asking.length > 0
            ? [{ labels: { ...labels, result: "ok" }, value: ok }]
            : []),
          ...(asking.length > 0 ? [{ labels: { ...labels, result: "fail" }, value: fail }] : []),
        ];
      }),
  ),
  counter(
    "oap_frames_total",
    "Frames decoded, by kind.",
    { kind: Object.keys(FRAME_KINDS) },
    (all) => {
      const counted = totals(all).map((t) => t.counters());
      return Object.entries(FRAME_KINDS).flatMap(([kind, key]) =>
        key === undefined ? [] : [{ labels: { kind }, value: sum(counted, (c) => c[key]) }]
      );
    },
  ),
  counter(
    "oap_rejects_total",
    "Frames refused by the codec, by reason.",
    { reason: CODEC_REASONS },
    (all) => {
      const rejects = totals(all).map((t) => t.counters().rejects);
      return REACHED_REASONS.map((reason) => ({
        labels: { reason },
        value: sum(rejects, (r) => r[reason] ?? 0),
      }));
    },
  ),
  counter(
    "oap_frame_bytes",
    "Payload bytes of decoded frames; of inflated ones, their inflated size.",
    {},
    (all) => one(sum(totals(all), (t) => t.counters().payloadIn)),
  ),
  gauge(
    "oap_inflight_frames",
    "Requests without an answer.",
    {},
    (all) => one(sum(totals(all), ({ inflight }) => inflight)),
  ),
  gauge(
    "oap_ack_window",
    "Frames that may be sent before an answer or acknowledgement must come: the least of all windows.",
    {},
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
    "Time to decode a frame; small reads are timed once in 256 frames.",
    {},
    EDGES.oapFrameSeconds,
    (all) => [{
      labels: {},
      value: merged(EDGES.oapFrameSeconds, totals(all).map((t) => t.readSeconds)),
    }],
  ),
  histogram(
    "oap_write_frame_seconds",
    "Time to encode and queue a frame; one of 256 is timed.",
    {},
    EDGES.oapFrameSeconds,
    (all) => [{
      labels: {},
      value: merged(EDGES.oapFrameSeconds, totals(all).map((t) => t.writeSeconds)),
    }],
  ),
]);
