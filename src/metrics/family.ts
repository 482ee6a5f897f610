/**
 * What a metric is, and how its series are summed over transports.
 *
 * @module
 */

import { Histogram } from "../histogram.ts";
import type { TransportStats } from "../stats.ts";
import { Traffic } from "../traffic.ts";
import { backendsInUse } from "./present.ts";

/** Labels of one series, all from closed sets. */
export type Labels = Readonly<Record<string, string>>;

/** The closed set of each label. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

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
    /** Its labels, each with all values it can have. */
    readonly labels: LabelSets;
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
    readonly labels: LabelSets;
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

const NO_TRAFFIC = Object.freeze(new Traffic());

/** Reads one figure. */
export type Read = (traffic: Traffic) => number;

/** The sum of a figure. */
export function sum<T>(all: readonly T[], of: (one: T) => number): number {
  let n = 0;
  for (const one of all) n += of(one);
  return n;
}

/** A figure of one backend, summed over the transports. */
export function ofBackend(all: readonly TransportStats[], backend: string, read: Read): number {
  return sum(all, ({ counters }) => read(counters.traffic.get(backend) ?? NO_TRAFFIC));
}

/** The one series of a family without labels. */
export const one = (value: number): readonly Series<number>[] => [{ labels: {}, value }];

/** A figure of each backend, summed over the transports. */
export const byBackend =
  (read: Read, shown: typeof backendsInUse = backendsInUse) =>
  (all: readonly TransportStats[]): Series<number>[] =>
    shown(all).map((backend) => ({
      labels: { backend },
      value: ofBackend(all, backend, read),
    }));

/** One histogram of several. */
export const merged = (edges: readonly number[], parts: readonly Histogram[]): Histogram => {
  const all = new Histogram(edges);
  for (const { counts, sum: more } of parts) {
    counts.forEach((n, i) => all.counts[i]! += n);
    all.sum += more;
  }
  return all;
};

/** A histogram of each backend, summed over the transports. */
export const histogramBy =
  (edges: readonly number[], of: (traffic: Traffic) => Histogram) =>
  (all: readonly TransportStats[]): Series<Histogram>[] =>
    backendsInUse(all).map((backend) => ({
      labels: { backend },
      value: merged(
        edges,
        all.flatMap(({ counters }) => {
          const traffic = counters.traffic.get(backend);
          return traffic === undefined ? [] : [of(traffic)];
        }),
      ),
    }));

/** A counter. */
export const counter = (
  name: string,
  help: string,
  labels: LabelSets,
  read: (all: readonly TransportStats[]) => readonly Series<number>[],
): Family => Object.freeze({ name, type: "counter", help, labels, read });

/** A gauge. */
export const gauge = (
  name: string,
  help: string,
  labels: LabelSets,
  read: (all: readonly TransportStats[], windows: readonly Window[]) => readonly Series<number>[],
): Family => Object.freeze({ name, type: "gauge", help, labels, read });

/** A histogram. */
export const histogram = (
  name: string,
  help: string,
  labels: LabelSets,
  edges: readonly number[],
  read: (all: readonly TransportStats[]) => readonly Series<Histogram>[],
): Family => Object.freeze({ name, type: "histogram", help, labels, edges, read });
