/**
 * The figures of `top`, from one or two looks at the metrics of a transport.
 *
 * @module
 */

import type { Sample } from "./top_exposition.ts";

/** One look. */
export interface Look {
  /** When, in milliseconds. */
  readonly at: number;
  /** All series. */
  readonly samples: readonly Sample[];
}

/** A counter: its value, and how fast it grows. */
export interface Counted {
  readonly total: number;
  /** `null` at the first look, and after a restart of the other side. */
  readonly perSecond: number | null;
}

/** How long handshakes take, in milliseconds; `null` of none. Above the last edge: the last edge. */
export interface Latency {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What `top` shows. */
export interface Figures {
  /** Open connections by backend. */
  readonly connections: Readonly<Record<string, number>>;
  readonly accepts: Counted;
  readonly dials: Counted;
  readonly dialErrors: Counted;
  readonly bytesIn: Counted;
  readonly bytesOut: Counted;
  readonly frames: Counted;
  /** Times that reading paused for a limit. */
  readonly pauses: Counted;
  /** Refusals by reason. */
  readonly rejects: Readonly<Record<string, Counted>>;
  /** Refusals of the codec by reason. */
  readonly codecRejects: Readonly<Record<string, Counted>>;
  /** Handshakes since the look before, or of all time where there is none or nothing since. */
  readonly handshake: Latency;
  /** Items that wait, by queue. */
  readonly queues: Readonly<Record<string, number>>;
}

/** @param now This look. @param before The one before. */
export function figuresOf(now: Look, before: Look | undefined): Figures {
  const counted = (name: string, labels: Readonly<Record<string, string>> = {}): Counted => {
    const total = sum(now, name, labels);
    const seconds = before === undefined ? 0 : (now.at - before.at) / 1_000;
    const grown = before === undefined ? -1 : total - sum(before, name, labels);
    return { total, perSecond: seconds > 0 && grown >= 0 ? grown / seconds : null };
  };
  const countedBy = (name: string, label: string): Record<string, Counted> =>
    Object.fromEntries(
      valuesOf(now, name, label).map((value) => [value, counted(name, { [label]: value })]),
    );
  return {
    connections: by(now, "conn_inflight", "backend"),
    accepts: counted("transport_accepts_total"),
    dials: counted("transport_dials_total"),
    dialErrors: counted("transport_dials_total", { result: "err" }),
    bytesIn: counted("bytes_in_total"),
    bytesOut: counted("bytes_out_total"),
    frames: counted("oap_frames_total"),
    pauses: counted("transport_read_pauses_total"),
    rejects: countedBy("rejected_total", "reason"),
    codecRejects: countedBy("oap_rejects_total", "reason"),
    handshake: latency(now, before),
    queues: by(now, "queue_depth", "queue"),
  };
}

function matching(look: Look, name: string, labels: Readonly<Record<string, string>>): Sample[] {
  return look.samples.filter((sample) =>
    sample.name === name &&
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  );
}

function sum(look: Look, name: string, labels: Readonly<Record<string, string>>): number {
  return matching(look, name, labels).reduce((all, { value }) => all + value, 0);
}

function valuesOf(look: Look, name: string, label: string): string[] {
  const values = matching(look, name, {}).map(({ labels }) => labels[label] ?? "");
  return [...new Set(values)];
}

function by(look: Look, name: string, label: string): Record<string, number> {
  return Object.fromEntries(
    valuesOf(look, name, label).map((value) => [value, sum(look, name, { [label]: value })]),
  );
}

function latency(now: Look, before: Look | undefined): Latency {
  const all = cumulative(now);
  const old = before === undefined ? [] : cumulative(before);
  const since = all.map(([edge, n], i): [number, number] => [edge, n - (old[i]?.[1] ?? 0)]);
  const fresh = before !== undefined && (since.at(-1)?.[1] ?? 0) > 0 &&
    since.every(([, n]) => n >= 0);
  const used = fresh ? since : all;
  const ms = (share: number): number | null => {
    const seconds = quantile(used, share);
    return seconds === undefined ? null : Math.round(seconds * 1e6) / 1e3;
  };
  return { count: used.at(-1)?.[1] ?? 0, p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) };
}

/** Observations up to each edge, of all backends together. */
function cumulative(look: Look): [edge: number, n: number][] {
  const counts = new Map<number, number>();
  for (const { labels, value } of matching(look, "handshake_latency_seconds_bucket", {})) {
    const edge = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
    counts.set(edge, (counts.get(edge) ?? 0) + value);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

/** As Prometheus's `histogram_quantile`: straight within a bucket. */
export function quantile(
  buckets: readonly (readonly [edge: number, n: number])[],
  share: number,
): number | undefined {
  const count = buckets.at(-1)?.[1] ?? 0;
  if (count === 0) return undefined;
  const rank = share * count;
  const i = buckets.findIndex(([, n]) => n >= rank);
  const [edge, n] = buckets[i]!;
  const [lower, below] = i === 0 ? [0, 0] : buckets[i - 1]!;
  if (edge === Infinity) return lower;
  return n === below ? edge : lower + (edge - lower) * (rank - below) / (n - below);
}
