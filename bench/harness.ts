/**
 * One way to register a benchmark: `deno bench` runs it where there is one, a small loop elsewhere.
 *
 * @module
 */

/** A benchmark. */
export interface BenchCase {
  /** Its stable id. */
  readonly id: string;
  /** Cases that are compared with one another; one of them may be the baseline. */
  readonly group: string;
  /** Whether the others of its group are compared with this one. */
  readonly baseline?: boolean;
  /** What the ratio to the baseline should be at least. */
  readonly goal?: number;
  /** Bytes that one call handles, for MiB/s. */
  readonly bytes?: number;
  /** Frames (or other units) that one call handles, for units per second. */
  readonly units?: number;
  /** What is measured. Its result is kept alive, so that the work is not optimised away. */
  readonly run?: () => unknown;
  /** The same where a call has to be waited for. */
  readonly wait?: () => Promise<unknown>;
}

/** What a call of one case took, in nanoseconds. */
export interface Measured {
  readonly average: number;
  /** Where the runner tells it. */
  readonly p95?: number;
  readonly p99: number;
  /** Samples taken. */
  readonly samples: number;
}

interface DenoBench {
  bench?(options: {
    name: string;
    group: string;
    baseline: boolean;
    fn: () => unknown;
  }): void;
}

const cases: BenchCase[] = [];
let sink: unknown;

/** Keeps the last result reachable. */
export function lastResult(): unknown {
  return sink;
}

/**
 * Registers a benchmark.
 *
 * @param one The benchmark, with one of `run` and `wait`.
 */
export function bench(one: BenchCase): void {
  const { Deno } = globalThis as { Deno?: DenoBench };
  const { id: name, group, baseline = false, run, wait } = one;
  cases.push(one);
  const fn = wait ?? ((): void => {
    sink = run?.();
  });
  Deno?.bench?.({ name, group, baseline, fn });
}

/** All that were registered, in order. */
export function registered(): readonly BenchCase[] {
  return cases;
}

/**
 * Times batches of calls long enough for the clock, about half a second in all.
 *
 * @param few A few calls only: to see that the benchmark runs, not how fast it is.
 */
export async function measure({ run, wait }: BenchCase, few: boolean): Promise<Measured> {
  const time = async (calls: number): Promise<number> => {
    const start = performance.now();
    if (wait === undefined) { for (let i = 0; i < calls; i++) sink = run?.(); }
    else for (let i = 0; i < calls; i++) sink = await wait();
    return ((performance.now() - start) * 1e6) / calls;
  };
  const once = Math.max(await time(few ? 1 : 10), 1);
  const calls = few ? 1 : Math.max(1, Math.round(5e6 / once));
  const rounds = few ? 3 : 100;
  if (!few) await time(Math.min(calls * 20, Math.ceil(2e8 / once)));
  const samples: number[] = [];
  for (let i = 0; i < rounds; i++) samples.push(await time(calls));
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? 0;
  const average = samples.reduce((a, b) => a + b, 0) / samples.length;
  return { average, p95: at(0.95), p99: at(0.99), samples: rounds };
}
