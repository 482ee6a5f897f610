/**
 * What every measuring program writes with `--json FILE`, and a strict reader of it.
 *
 * One file holds one suite on one runtime. Ratios are above 1 when this library is better, whatever the unit;
 * a goal that is a bound ("at most 3 ms") has the bound as its peer, and 1 as its goal.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A runtime that measures. */
export type BenchRuntime = "deno" | "bun" | "node";

/** Absolute figures that `bench/compare.ts` gates, besides the ratio. None is negative. */
export interface Measures {
  /** Milliseconds that 95 of 100 calls took at most. */
  readonly p95?: number;
  /** Milliseconds that 99 of 100 calls took at most. */
  readonly p99?: number;
  /** Units each second. */
  readonly throughput?: number;
  /** Processor time for one unit. */
  readonly cpu?: number;
  /** Bytes held. */
  readonly memory?: number;
  /** Bytes or objects made for one unit. */
  readonly allocations?: number;
}

/** One comparison. */
export interface Row {
  /** Stable: remarks and the baseline refer to it. Lower case, digits, `_`, `.` and `-`. */
  readonly id: string;
  /** What was done, for people. */
  readonly work: string;
  /** Our figure, in `unit`. */
  readonly ours: number;
  /** The other's figure, or the bound; `null` when there is nothing to compare with. */
  readonly peer: number | null;
  /** What `peer` is, for people; empty when there is none. */
  readonly against: string;
  /** Unit of both figures. */
  readonly unit: string;
  /** How many times better we are: above 1 is better. `null` without a peer. */
  readonly ratio: number | null;
  /** What the ratio should be at least. */
  readonly goal: number | null;
  /** Rounds the figures are the median of. */
  readonly rounds: number;
  /** What a reader must know about this figure. */
  readonly note?: string;
  /** A place on a curve: rows of one suite with equal `work` are one line, in a table and a chart of their own. */
  readonly series?: { readonly x: number; readonly y: number };
  /** Figures for the gates. */
  readonly measures?: Measures;
}

/** One suite on one runtime. */
export interface BenchRecord {
  /** Its name, also of its file: lower case, digits, `_`, `.` and `-`. */
  readonly suite: string;
  readonly runtime: BenchRuntime;
  /** Of the runtime. */
  readonly version: string;
  readonly rows: readonly Row[];
}

/** Whether a row's goal is reached; `undefined` when it has none, or nothing to compare with. */
export function reached({ ratio, goal }: Row): boolean | undefined {
  return ratio === null || goal === null ? undefined : ratio >= goal;
}

/** Checks a record and writes it, making its folder. */
export function writeRecord(file: string, record: BenchRecord): void {
  parseRecord(record, file);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(record, undefined, 1)}\n`);
}

/**
 * Checks what was read from a file: every field there, of its kind, and none besides.
 *
 * @param value What `JSON.parse` gave.
 * @param where Its file, for messages.
 * @throws {TypeError} Naming the field and what it should be.
 */
export function parseRecord(value: unknown, where: string): BenchRecord {
  const fields = object(value, where, ["suite", "runtime", "version", "rows"], []);
  slug(fields["suite"], `${where}: suite`);
  if (!RUNTIMES.has(fields["runtime"])) {
    fail(`${where}: runtime`, "deno, bun or node", fields["runtime"]);
  }
  text(fields["version"], `${where}: version`);
  const { rows } = fields;
  if (!Array.isArray(rows)) return fail(`${where}: rows`, "a list", rows);
  const ids = new Set<unknown>();
  rows.forEach((row, i) => {
    const { id } = parseRow(row, `${where}: rows[${i}]`);
    if (ids.has(id)) fail(`${where}: rows[${i}].id`, "used once", id);
    ids.add(id);
  });
  return value as BenchRecord;
}

const RUNTIMES: ReadonlySet<unknown> = new Set(["deno", "bun", "node"]);
const WANTED = ["id", "work", "ours", "peer", "against", "unit", "ratio", "goal", "rounds"];
const MEASURES = ["p95", "p99", "throughput", "cpu", "memory", "allocations"];

function parseRow(value: unknown, where: string): Row {
  const row = object(value, where, WANTED, ["note", "series", "measures"]);
  slug(row["id"], `${where}.id`);
  for (const name of ["work", "against", "unit"]) text(row[name], `${where}.${name}`);
  number(row["ours"], `${where}.ours`);
  for (const name of ["peer", "ratio", "goal"]) {
    if (row[name] !== null) number(row[name], `${where}.${name}`);
  }
  if (row["ratio"] !== null && row["peer"] === null) {
    fail(`${where}.ratio`, "null without a peer", row["ratio"]);
  }
  const rounds = number(row["rounds"], `${where}.rounds`);
  if (!Number.isInteger(rounds) || rounds < 1) {
    fail(`${where}.rounds`, "a whole number from 1", rounds);
  }
  if ("note" in row) text(row["note"], `${where}.note`);
  if ("series" in row) {
    const point = object(row["series"], `${where}.series`, ["x", "y"], []);
    for (const axis of ["x", "y"]) number(point[axis], `${where}.series.${axis}`);
  }
  if ("measures" in row) {
    const measures = object(row["measures"], `${where}.measures`, [], MEASURES);
    for (const [name, figure] of Object.entries(measures)) {
      const at = `${where}.measures.${name}`;
      if (number(figure, at) < 0) fail(at, "0 or more", figure);
    }
  }
  return value as Row;
}

function object(
  value: unknown,
  where: string,
  wanted: readonly string[],
  allowed: readonly string[],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail(where, "an object", value);
  }
  const missing = wanted.find((name) => !(name in value));
  if (missing !== undefined) fail(`${where}.${missing}`, "there", undefined);
  const extra = Object.keys(value).find((name) =>
    !wanted.includes(name) && !allowed.includes(name)
  );
  if (extra !== undefined) {
    fail(`${where}.${extra}`, `left out; fields are ${[...wanted, ...allowed].join(", ")}`, extra);
  }
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string): void {
  if (typeof value !== "string") fail(where, "a text", value);
}

function slug(value: unknown, where: string): void {
  if (typeof value !== "string" || !/^[a-z0-9][a-z0-9_.-]*$/.test(value)) {
    fail(where, "lower case letters, digits, _, . and -", value);
  }
}

function number(value: unknown, where: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return fail(where, "a finite number", value);
}

function fail(where: string, wanted: string, got: unknown): never {
  throw new TypeError(`${where} must be ${wanted}, and is ${JSON.stringify(got)}`);
}
