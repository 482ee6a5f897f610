/**
 * When a figure counts as a regression.
 *
 * @module
 */

import { type Baseline, FIELDS, type Figures, type FigureTable } from "./baseline.ts";

/** How far a figure may move for the worse, in percent, and which way worse is. */
interface Gate {
  readonly percent: number;
  readonly worse: "more" | "less";
}

/** By kind of figure. Ratios are of throughput. */
export const GATES: Readonly<Record<keyof Figures, Gate>> = {
  p95: { percent: 10, worse: "more" },
  p99: { percent: 10, worse: "more" },
  throughput: { percent: 10, worse: "less" },
  ratio: { percent: 10, worse: "less" },
  cpu: { percent: 15, worse: "more" },
  memory: { percent: 15, worse: "more" },
  allocations: { percent: 15, worse: "more" },
};

/** What a noisy runner is let off, in points; whoever asks for it says why, and that is recorded. */
export const WAIVER_POINTS = 5;

const FIELD_GATES: Readonly<Record<string, Gate>> = {
  tls_small_p95_ms: GATES.p95,
  tls_small_p99_ms: GATES.p99,
  tls_stream_64k_gbps: GATES.throughput,
  cpu_pct_at_target: GATES.cpu,
  mem_gib: GATES.memory,
};

/** One figure, before and after. */
export interface Change {
  /** `runtime/suite/row`, or a field of the baseline. */
  readonly key: string;
  readonly figure: string;
  readonly base: number;
  /** `undefined` when the suite ran and has this no more. */
  readonly head: number | undefined;
  /** Percent for the worse; negative is better. */
  readonly worseBy: number;
  readonly allowed: number;
  readonly failed: boolean;
}

/** The outcome. */
export interface Comparison {
  readonly changes: readonly Change[];
  readonly failed: readonly Change[];
  /** Suites of the base that did not run: `runtime/suite`. */
  readonly notRun: readonly string[];
  /** Why only ratios were judged, if so. */
  readonly ratiosOnly: string | undefined;
  /** The reason given for a noisy runner. */
  readonly waiver: string | undefined;
}

/**
 * Judges one run against another.
 *
 * @param base What counts so far.
 * @param head What is to be judged.
 * @param waiver Why the runner is noisy; gives 5 points more.
 */
export function compare(base: Baseline, head: Baseline, waiver?: string): Comparison {
  const extra = waiver === undefined ? 0 : WAIVER_POINTS;
  const sameRig = base.ref === head.ref;
  const judge = (
    key: string,
    figure: string,
    gate: Gate,
    a: number,
    b: number | undefined,
  ): Change => {
    const allowed = gate.percent + extra;
    const worseBy = b === undefined ? Infinity : worse(gate, a, b);
    return { key, figure, base: a, head: b, worseBy, allowed, failed: worseBy > allowed + 1e-9 };
  };
  const ran = new Set(Object.keys(head.figures).map(suiteOf));
  const changes: Change[] = [];
  if (sameRig) {
    for (const [name] of FIELDS) {
      const [a, b] = [base[name], head[name]];
      const gate = FIELD_GATES[name];
      if (typeof a === "number" && typeof b === "number" && gate !== undefined) {
        changes.push(judge(name, name, gate, a, b));
      }
    }
  }
  for (const [key, figures] of Object.entries(base.figures)) {
    if (!ran.has(suiteOf(key))) continue;
    for (const [name, a] of Object.entries(figures) as [keyof Figures, number][]) {
      if (name !== "ratio" && !sameRig) continue;
      changes.push(judge(key, name, GATES[name], a, head.figures[key]?.[name]));
    }
  }
  return {
    changes,
    failed: changes.filter(({ failed }) => failed),
    notRun: [...new Set(Object.keys(base.figures).map(suiteOf))].filter((suite) => !ran.has(suite)),
    ratiosOnly: sameRig ? undefined : `the rigs differ: ${base.ref}; ${head.ref}`,
    waiver,
  };
}

/** The middle of each figure of several runs on one rig. */
export function medianOf(runs: readonly Baseline[]): Baseline {
  const [first] = runs;
  if (first === undefined) throw new TypeError("compare: no run to take the median of");
  const other = runs.find(({ ref }) => ref !== first.ref);
  if (other !== undefined) {
    throw new TypeError(
      `compare: runs of different rigs have no median: ${first.ref}; ${other.ref}`,
    );
  }
  const fields: Record<string, number> = {};
  for (const [name] of FIELDS) {
    const values = runs.map((run) => run[name]).filter((value) => typeof value === "number");
    if (values.length > 0) fields[name] = middle(values);
  }
  const figures: Record<string, Figures> = {};
  for (const key of new Set(runs.flatMap((run) => Object.keys(run.figures)))) {
    const rows = runs.map((run) => run.figures[key]).filter((row) => row !== undefined);
    const names = new Set(rows.flatMap((row) => Object.keys(row) as (keyof Figures)[]));
    figures[key] = Object.fromEntries([...names].map((name) => [
      name,
      middle(rows.map((row) => row[name]).filter((value) => value !== undefined)),
    ]));
  }
  return { ...first, ...fields, figures: figures as FigureTable };
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length - 1 >> 1] as number;
}

function worse({ worse }: Gate, base: number, head: number): number {
  if (base === head) return 0;
  if (base === 0) return worse === "more" ? Infinity : -Infinity;
  const percent = 100 * (head - base) / base;
  return worse === "more" ? percent : -percent;
}

function suiteOf(key: string): string {
  return key.split("/", 2).join("/");
}
