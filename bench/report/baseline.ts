/**
 * What later runs are compared with: the figures that have a gate, by runtime, suite and row.
 *
 *   deno run -A bench/report/baseline.ts [OUT [FILE]]      (or bun …): records of OUT into FILE
 *
 * @module
 */

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { ROOT } from "../../test/runtimes.ts";
import type { BenchRecord, BenchRuntime, Measures } from "./record.ts";
import { readRecords } from "./results.ts";
import { readRun } from "./run.ts";

/** The gated figures of one row. */
export type Figures = Measures & { readonly ratio?: number };

/** Figures by `runtime/suite/row`. */
export type FigureTable = Readonly<Record<string, Figures>>;

/** A baseline. Its first fields are of the suite `load`, on Deno; they are left out where it did not run. */
export interface Baseline {
  /** The rig: `Ref-A`, `Ref-B`, or what else it was. */
  readonly ref: string;
  readonly tls_small_p95_ms?: number;
  readonly tls_small_p99_ms?: number;
  readonly tls_stream_64k_gbps?: number;
  readonly cpu_pct_at_target?: number;
  readonly mem_gib?: number;
  readonly date: string;
  readonly commit: string;
  /** Waivers under which it was accepted. */
  readonly waivers?: readonly string[];
  readonly figures: FigureTable;
}

const RUNTIMES: readonly BenchRuntime[] = ["deno", "bun", "node"];

/** The fields of a baseline that stand outside the table, with the row of suite `load` each is of. */
export const FIELDS:
  readonly (readonly [keyof Baseline & string, string, keyof Measures | "ours"])[] = [
    ["tls_small_p95_ms", "tls_small", "p95"],
    ["tls_small_p99_ms", "tls_small", "p99"],
    ["tls_stream_64k_gbps", "tls_stream_64k", "ours"],
    ["cpu_pct_at_target", "cpu_at_target", "ours"],
    ["mem_gib", "memory_at_target", "ours"],
  ];

/** Makes a baseline of a folder of records. */
export function makeBaseline(out: string): Baseline {
  const records = RUNTIMES.flatMap((runtime) => readRecords(join(out, runtime)));
  const run = RUNTIMES.map((runtime) => readRun(join(out, runtime))).find((run) =>
    run !== undefined
  );
  const figures: Record<string, Figures> = {};
  for (const { runtime, suite, rows } of records) {
    for (const { id, ratio, measures } of rows) {
      if (ratio === null && measures === undefined) continue;
      figures[`${runtime}/${suite}/${id}`] = { ...(ratio === null ? {} : { ratio }), ...measures };
    }
  }
  return {
    ref: run === undefined ? "unknown" : `${run.cpu}, ${run.cores} cores, ${run.memoryGib} GiB`,
    ...fields(records),
    date: run?.date ?? "unknown",
    commit: run?.commit ?? "unknown",
    figures,
  };
}

/**
 * Reads a baseline, or makes one of a folder of records.
 *
 * @param path A file or a folder.
 * @throws {TypeError} Naming what is wrong in it.
 */
export function readBaseline(path: string): Baseline {
  if (!existsSync(path)) throw new TypeError(`${path} does not exist: run the benchmarks first`);
  if (statSync(path).isDirectory()) return makeBaseline(path);
  return parseBaseline(JSON.parse(readFileSync(path, "utf8")), path);
}

/**
 * Checks what was read from a file.
 *
 * @param value What `JSON.parse` gave.
 * @param where Its file, for messages.
 */
export function parseBaseline(value: unknown, where: string): Baseline {
  const fail = (field: string, wanted: string): never => {
    throw new TypeError(`${where}: ${field} must be ${wanted}`);
  };
  const isObject = (one: unknown): one is Record<string, unknown> =>
    typeof one === "object" && one !== null && !Array.isArray(one);
  if (!isObject(value)) return fail("the file", "an object");
  for (const name of ["ref", "date", "commit"]) {
    if (typeof value[name] !== "string") fail(name, "a text");
  }
  const isFigure = (one: unknown): boolean =>
    typeof one === "number" && Number.isFinite(one) && one >= 0;
  for (const [name] of FIELDS) {
    if (name in value && !isFigure(value[name])) fail(name, "a number from 0");
  }
  const cpu = value["cpu_pct_at_target"];
  if (typeof cpu === "number" && cpu > 100) fail("cpu_pct_at_target", "at most 100");
  const { figures } = value;
  if (!isObject(figures)) return fail("figures", "an object");
  for (const [key, row] of Object.entries(figures)) {
    if (!isObject(row)) fail(`figures["${key}"]`, "an object");
    for (const [name, figure] of Object.entries(row as object)) {
      if (!isFigure(figure)) fail(`figures["${key}"].${name}`, "a number from 0");
    }
  }
  return value as unknown as Baseline;
}

function fields(records: readonly BenchRecord[]): Partial<Baseline> {
  const load = records.find(({ runtime, suite }) => runtime === "deno" && suite === "load");
  const found: Record<string, number> = {};
  for (const [name, id, from] of FIELDS) {
    const row = load?.rows.find((row) => row.id === id);
    const figure = from === "ours" ? row?.ours : row?.measures?.[from];
    if (figure !== undefined) found[name] = figure;
  }
  return found;
}

/** One row a line, so that a change of one figure is a change of one line. */
function write({ figures, ...rest }: Baseline): string {
  const rows = Object.entries(figures).map(([key, row]) => {
    const rounded = Object.entries(row).map((
      [name, figure],
    ) => [name, Number(figure.toPrecision(4))]);
    return `    ${JSON.stringify(key)}: ${JSON.stringify(Object.fromEntries(rounded))}`;
  });
  const head = JSON.stringify(rest, undefined, 2).replace(/\n}$/, "");
  return `${head},\n  "figures": {\n${rows.join(",\n")}\n  }\n}\n`;
}

if (basename(process.argv[1] ?? "") === "baseline.ts") {
  const [out = join(ROOT, "bench/out"), file = join(ROOT, "bench/baseline.json")] = process.argv
    .slice(2);
  writeFileSync(file, write(makeBaseline(out)));
  console.log(file);
}
