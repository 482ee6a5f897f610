/**
 * Writes `RESULTS.md` and its charts from the records of all runtimes.
 *
 *   deno run -A bench/report/results.ts [OUT [TARGET]]      (or bun …)
 *
 * @module
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { ROOT } from "../../test/runtimes.ts";
import { type BenchRecord, type BenchRuntime, parseRecord, reached, type Row } from "./record.ts";
import { HEAD, REMARKS, SUITES } from "./remarks.ts";
import { readRun, type Run } from "./run.ts";
import { type Both, section } from "./section.ts";

const RUNTIMES: readonly BenchRuntime[] = ["deno", "bun", "node"];

/**
 * Makes the results anew.
 *
 * @param out Folder with a folder of records for each runtime.
 * @param target Where `RESULTS.md` and `charts/` go.
 * @returns The files written.
 */
export function writeResults(out: string, target: string): string[] {
  const records = RUNTIMES.flatMap((runtime) => readRecords(join(out, runtime)));
  const runs = RUNTIMES.map((runtime) => readRun(join(out, runtime))).filter((run) =>
    run !== undefined
  );
  const charts = join(target, "charts");
  rmSync(charts, { recursive: true, force: true });
  mkdirSync(charts, { recursive: true });
  const written: string[] = [];
  const parts = [intro(runs), goals(records)];
  for (const suite of suitesOf(records)) {
    const made = section(suite, both(records, suite));
    parts.push(made.text);
    for (const [name, svg] of made.charts) {
      const file = join(charts, `${name}.svg`);
      writeFileSync(file, svg);
      written.push(file);
    }
  }
  const file = join(target, "RESULTS.md");
  writeFileSync(file, `${parts.join("\n\n")}\n`);
  return [...written, file];
}

/** The records in a folder, by name of their suites. */
export function readRecords(folder: string): BenchRecord[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().filter((name) => name.endsWith(".json") && name !== "run.json")
    .map((name) => {
      const file = join(folder, name);
      const record = parseRecord(JSON.parse(readFileSync(file, "utf8")), file);
      if (`${record.suite}.json` !== name) {
        throw new TypeError(`${file} holds suite ${record.suite}: name it ${record.suite}.json`);
      }
      return record;
    });
}

/** Known suites in their order, then others. */
function suitesOf(records: readonly BenchRecord[]): string[] {
  const found = new Set(records.map(({ suite }) => suite));
  const known = Object.keys(SUITES).filter((suite) => found.has(suite));
  return [...known, ...[...found].filter((suite) => !(suite in SUITES)).sort()];
}

function both(records: readonly BenchRecord[], suite: string): Both {
  const of = records.filter((record) => record.suite === suite);
  return {
    runtimes: of.map(({ runtime }) => runtime),
    rows: new Map(of.map(({ runtime, rows }) => [runtime, rows])),
  };
}

function intro(runs: readonly Run[]): string {
  const [first] = runs;
  const machine = first === undefined
    ? ""
    : `Machine: ${first.cpu}, ${first.cores} cores, ${first.memoryGib} GiB, ${first.system}. The machine does other things as well: the load is told for each run.`;
  const table = [
    "| runtime | command | date | commit | load before, after | took | versions |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...runs.map((run) => {
      const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
      const took = `${Math.floor(run.seconds / 60)} min ${run.seconds % 60} s`;
      return `| ${run.runtime} | \`${run.command}\` | ${run.date} | ${run.commit} | ${run.load}, ${run.loadAfter} | ${took} | ${
        versions.join(", ")
      } |`;
    }),
  ];
  return `# Results\n\n${HEAD}\n\n${machine}\n\n${table.join("\n")}`;
}

function goals(records: readonly BenchRecord[]): string {
  const judged = records.flatMap(({ runtime, suite, rows }) =>
    rows.map((row) => ({ runtime, suite, row, ok: reached(row) }))
  ).filter(({ ok }) => ok !== undefined);
  const missed = judged.filter(({ ok }) => ok === false);
  const lines = missed.map(({ runtime, suite, row }) =>
    `| ${suite} | ${row.work} | ${row.against} | ${runtime} | ${plain(row.ratio)} | ${row.goal} | ${
      why(row, runtime)
    } |`
  );
  const head = `## Goals\n\n${judged.length - missed.length} reached, ${missed.length} missed.`;
  if (missed.length === 0) return head;
  return [
    head,
    "",
    "| suite | work | against | runtime | ratio | goal | why it is missed |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

function plain(ratio: number | null): string {
  return ratio === null ? "" : ratio.toFixed(2);
}

function why({ id }: Row, runtime: string): string {
  return REMARKS[`${runtime}:${id}`] ?? REMARKS[id] ?? "not looked into yet";
}

if (basename(process.argv[1] ?? "") === "results.ts") {
  const [out = join(ROOT, "bench/out"), target = join(ROOT, "bench")] = process.argv.slice(2);
  for (const file of writeResults(out, target)) console.log(file);
}
