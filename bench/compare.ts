/**
 * Judges a run against a baseline: `deno run -A bench/compare.ts BASE HEAD`, or `bun bench/compare.ts BASE HEAD`.
 *
 *   BASE, HEAD       a baseline file or a folder of records (`bench/out`); several with commas between
 *                    them: the median counts, and three are what a gate should have
 *   [--noisy WHY]    a noisy runner: 5 points more, and the reason in the result
 *   [--json FILE]    the result as JSON
 *
 * Fails with exit code 1 when p95 or p99 rose by more than 10 %, a throughput or ratio fell by more than 10 %,
 * or processor time, memory or allocations rose by more than 15 %. Between different machines only ratios are
 * judged.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { readBaseline } from "./report/baseline.ts";
import { type Change, compare, type Comparison, medianOf } from "./report/gates.ts";

interface Options {
  readonly paths: readonly string[];
  readonly noisy: string | undefined;
  readonly json: string | undefined;
}

function parse(args: readonly string[]): Options | string {
  const paths: string[] = [];
  const named: { noisy?: string; json?: string } = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--noisy" || arg === "--json") {
      const value = args[++i];
      if (value === undefined || value === "") return `${arg} wants a value`;
      named[arg === "--noisy" ? "noisy" : "json"] = value;
    } else if (arg.startsWith("-")) return `unknown option ${arg}`;
    else paths.push(arg);
  }
  if (paths.length !== 2) return `BASE and HEAD are wanted, and ${paths.length} were given`;
  return { paths, noisy: named.noisy, json: named.json };
}

function line({ key, figure, base, head, worseBy, allowed, failed }: Change): string {
  const after = head === undefined ? "missing" : head.toPrecision(4);
  const moved = worseBy === Infinity
    ? "no more there"
    : `${Math.abs(worseBy).toFixed(1)} % ${worseBy > 0 ? "worse" : "better"}`;
  const verdict = failed ? `FAILED, at most ${allowed} %` : "";
  return `${key.padEnd(64)} ${figure.padEnd(12)} ${base.toPrecision(4).padStart(10)} ${
    after.padStart(10)
  }  ${moved}  ${verdict}`.trimEnd();
}

function print({ changes, failed, notRun, ratiosOnly, waiver }: Comparison): void {
  const moved = changes.filter(({ worseBy, failed }) => failed || Math.abs(worseBy) > 5)
    .toSorted((a, b) => b.worseBy - a.worseBy);
  for (const change of moved) console.log(line(change));
  if (ratiosOnly !== undefined) console.log(`only ratios are judged: ${ratiosOnly}`);
  if (notRun.length > 0) console.log(`not run, not judged: ${notRun.join(", ")}`);
  if (waiver !== undefined) console.log(`5 points more for a noisy runner: ${waiver}`);
  console.log(`${changes.length} figures compared, ${failed.length} failed`);
}

function main(args: readonly string[]): number {
  const options = parse(args);
  if (typeof options === "string") {
    console.error(`compare: ${options}\nusage: compare.ts BASE HEAD [--noisy WHY] [--json FILE]`);
    return 2;
  }
  const [base, head] = options.paths.map((path) => medianOf(path.split(",").map(readBaseline)));
  const result = compare(base!, head!, options.noisy);
  print(result);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(result, undefined, 1)}\n`);
  }
  if (result.changes.length === 0) {
    console.error("compare: nothing in common to compare");
    return 1;
  }
  return result.failed.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
