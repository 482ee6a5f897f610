/**
 * One way to register a benchmark: `deno bench` runs it where there is one, a small loop elsewhere.
 *
 * @module
 */

import process from "node:process";

/** A benchmark. */
export interface BenchCase {
  /** Its stable id. */
  readonly id: string;
  /** Operations that are compared with one another. */
  readonly group: string;
  /** Bytes that one call handles, for MiB/s. */
  readonly bytes?: number;
  /** Frames (or other units) that one call handles, for units per second. */
  readonly units?: number;
  /** What is measured. Its result is kept alive, so that the work is not optimised away. */
  readonly run: () => unknown;
}

interface DenoBench {
  bench?(options: {
    name: string;
    group: string;
    fn: () => void;
    n?: number;
    warmup?: number;
  }): void;
}

/** A few rounds only: to see that the benchmarks run, not how fast they are. */
const QUICK = process.env["RON_BENCH_QUICK"] === "1";

const cases: BenchCase[] = [];
let sink: unknown;

/** Keeps the last result reachable. */
export function lastResult(): unknown {
  return sink;
}

/**
 * Registers a benchmark.
 *
 * @param one The benchmark.
 */
export function bench(one: BenchCase): void {
  const { Deno } = globalThis as { Deno?: DenoBench };
  const { id: name, group, run } = one;
  if (Deno?.bench === undefined) {
    cases.push(one);
    return;
  }
  const fn = (): void => {
    sink = run();
  };
  Deno.bench(QUICK ? { name, group, fn, n: 3, warmup: 1 } : { name, group, fn });
}

/** What the loop measured, in nanoseconds for one call. */
export interface Measured {
  readonly id: string;
  readonly group: string;
  readonly average: number;
  readonly p50: number;
  readonly p95: number;
  readonly bytes: number | undefined;
  readonly units: number | undefined;
}

/** Times batches of calls long enough for the clock, about half a second in all. */
function measure({ id, group, run, bytes, units }: BenchCase): Measured {
  const time = (calls: number): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) sink = run();
    return ((performance.now() - start) * 1e6) / calls;
  };
  const once = Math.max(time(QUICK ? 1 : 10), 1);
  const calls = QUICK ? 1 : Math.max(1, Math.round(5e6 / once));
  const rounds = QUICK ? 3 : 100;
  if (!QUICK) time(calls * 20);
  const samples = Array.from({ length: rounds }, () => time(calls)).sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? 0;
  const average = samples.reduce((a, b) => a + b, 0) / samples.length;
  return { id, group, average, p50: at(0.5), p95: at(0.95), bytes, units };
}

/** Runs what was registered, where there is no `deno bench`. */
export function runRegistered(print: (result: Measured) => void): void {
  for (const one of cases) print(measure(one));
}
