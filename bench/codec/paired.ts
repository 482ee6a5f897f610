/**
 * Measuring things against one another: in turns within one process, by processor time.
 *
 * Wall time is of no use on a machine that does something else as well. Processor time still drifts with what
 * else is in the caches, so each round runs every case once, in an order that changes, and ratios are taken
 * within a round; the median of the rounds counts.
 *
 * @module
 */

import process from "node:process";

/** One of the things compared. */
export interface Case {
  /** What tables call it. */
  readonly name: string;
  /** Does the work once. Its result is kept alive. */
  readonly run: () => unknown;
}

/** What one case came to. */
export interface Timing {
  readonly name: string;
  /** Nanoseconds of processor time for one unit, median of the rounds. */
  readonly ns: number;
  /** The same, of each round. */
  readonly rounds: readonly number[];
}

/** How long to measure. */
export interface Effort {
  /** Rounds of all cases. */
  readonly rounds: number;
  /** Milliseconds for each case in a round. */
  readonly ms: number;
}

/** Enough for a figure. */
export const FULL: Effort = { rounds: 9, ms: 60 };
/** Enough to see that it runs. */
export const QUICK: Effort = { rounds: 3, ms: 2 };

let sink: unknown;

/** Keeps results reachable. */
export function lastResult(): unknown {
  return sink;
}

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function burn(run: () => unknown, times: number): number {
  const start = cpuNs();
  for (let i = 0; i < times; i++) sink = run();
  return cpuNs() - start;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/**
 * Measures cases in turns.
 *
 * @param cases What to compare.
 * @param units Units that one call of each does.
 */
export function measure(cases: readonly Case[], units: number, effort: Effort): Timing[] {
  const times = cases.map(({ run }) => {
    burn(run, 3);
    for (let n = 1;; n *= 2) {
      const start = performance.now();
      burn(run, n);
      const ms = performance.now() - start;
      if (ms >= effort.ms / 4) return Math.max(1, Math.round((n * effort.ms) / ms));
    }
  });
  const rounds: number[][] = cases.map(() => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let k = 0; k < cases.length; k++) {
      const i = (k + round) % cases.length;
      const n = times[i] as number;
      rounds[i]?.push(burn((cases[i] as Case).run, n) / n / units);
    }
  }
  return cases.map(({ name }, i) => ({
    name,
    ns: median(rounds[i] as number[]),
    rounds: rounds[i] as number[],
  }));
}

/** How many times the rate of `of` the rate of `one` is: above 1 when `one` is faster. Median within rounds. */
export function rate(one: Timing, of: Timing): number {
  return median(one.rounds.map((ns, i) => (of.rounds[i] as number) / ns));
}
