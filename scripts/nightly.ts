/**
 * `deno task nightly`: everything that takes too long for a merge, into one dated folder with an index.
 *
 * @module
 */

import { mkdirSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { run } from "./lib/process.ts";
import { compile } from "./lib/suites.ts";
import { attacks } from "./nightly/attack.ts";
import { benchmarks } from "./nightly/benchmarks.ts";
import { fuzzing } from "./nightly/fuzz.ts";
import { governance } from "./nightly/governance.ts";
import { type Report, writeIndex } from "./nightly/index_page.ts";
import { models } from "./nightly/models.ts";
import { mutants } from "./nightly/mutants.ts";
import { performanceSnapshot } from "./nightly/performance.ts";
import { folderName, prune } from "./nightly/prune.ts";
import { realParts } from "./nightly/real_parts.ts";
import { soak } from "./nightly/soak.ts";
import { logTo, runStage, type Stage, type StageResult } from "./nightly/stage.ts";
import { tor } from "./nightly/tor.ts";

/** In their order; stages of one row run beside each other. */
const ROWS: readonly (readonly Stage[])[] = [
  [realParts],
  [tor],
  [governance],
  [performanceSnapshot],
  [attacks],
  [models],
  [fuzzing, soak],
  [benchmarks],
];
const NAMES = [...ROWS.flat(), mutants].map(({ name }) => name);

const USAGE = `usage: deno task nightly [--hours N] [--only STAGE,…] [--base REV] [--mutants]
                         [--out DIR] [--seed N]

  --hours N    how long it should take (8); below 1, figures and tests are those that fit
  --only       these stages only, with all of the time: ${NAMES.join(", ")}
  --base REV   what performance is compared with (the commit of bench/baseline.json)
  --mutants    mutants as well
  --out DIR    where the dated folder goes (.nightly)
  --seed N     for fuzzing, seeds of the simulation and mutants (the day)`;

interface Options {
  hours: number;
  only: readonly string[] | undefined;
  base: string | undefined;
  mutants: boolean;
  out: string;
  seed: number;
}

function usage(problem: string): never {
  console.error(`nightly: ${problem}\n${USAGE}`);
  process.exit(2);
}

function parse(args: readonly string[]): Options {
  const day = Math.floor(Date.now() / 86_400_000);
  const options: Options = {
    hours: 8,
    only: undefined,
    base: undefined,
    mutants: false,
    out: join(ROOT, ".nightly"),
    seed: day,
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const value = (): string => args[++i] ?? usage(`${arg} wants a value`);
    if (arg === "--") continue;
    else if (arg === "--hours") options.hours = Number(value());
    else if (arg === "--only") options.only = value().split(",");
    else if (arg === "--base") options.base = value();
    else if (arg === "--mutants") options.mutants = true;
    else if (arg === "--out") options.out = resolve(value());
    else if (arg === "--seed") options.seed = Number(value());
    else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else usage(`unknown option ${arg}`);
  }
  if (!(options.hours > 0 && options.hours <= 100)) {
    usage("--hours wants a number above 0, at most 100");
  }
  if (!Number.isSafeInteger(options.seed) || options.seed < 0) usage("--seed wants a whole number");
  const unknown = options.only?.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) usage(`no stage "${unknown}": there are ${NAMES.join(", ")}`);
  return options;
}

function chosen({ only, mutants: withMutants }: Options): (readonly Stage[])[] {
  const rows = withMutants || only?.includes("mutants") ? [...ROWS, [mutants]] : ROWS;
  if (only === undefined) return [...rows];
  return rows.map((row) => row.filter(({ name }) => only.includes(name)))
    .filter((row) => row.length > 0);
}

/** Seconds for each unit of share; stages beside each other share theirs. */
function secondsPerShare(rows: readonly (readonly Stage[])[], hours: number): number {
  const shares = rows.reduce((sum, row) => sum + Math.max(...row.map(({ share }) => share)), 0);
  return (hours * 3_600) / shares;
}

async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of ["deno", "bun", "node"] as const) {
    const program = findRuntime(name);
    if (program === undefined) continue;
    const { output } = await run(program, ["--version"]);
    found[name] = /\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? "unknown";
  }
  return found;
}

async function tree(): Promise<{ commit: string; changed: number }> {
  const head = await run("git", ["rev-parse", "HEAD"]);
  const status = await run("git", ["status", "--porcelain"]);
  const changed = status.output.trim() === "" ? 0 : status.output.trim().split("\n").length;
  return { commit: head.code === 0 ? head.output.trim() : "not a git checkout", changed };
}

const load = (): string => loadavg().map((one) => one.toFixed(1)).join(" ");

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  const { hours, seed, base } = options;
  const started = new Date();
  const folder = join(options.out, folderName(started));
  mkdirSync(folder, { recursive: true });
  const pruned = prune(options.out, started.getTime());
  const compiled = await compile();
  if (compiled.code !== 0) {
    console.error(`nightly: the sources do not compile for Node\n${compiled.output}`);
    return 1;
  }
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const known = {
    started: started.toISOString(),
    hours,
    command: `deno task nightly ${args.join(" ")}`.trim(),
    ...await tree(),
    machine: `${availableParallelism()} x ${cpus()[0]?.model ?? "unknown"}, ${gib} GiB`,
    versions: await versions(),
    seed,
    pruned,
  };
  const before = load();
  const stages: StageResult[] = [];
  const index = (): Report => {
    const passed = stages.every(({ verdict }) => verdict !== "failed");
    const ended = new Date().toISOString();
    const report = { ...known, ended, load: { before, after: load() }, passed, stages };
    writeIndex(folder, report); // after each row, so that a run that is stopped has told what it knew
    return report;
  };
  const rows = chosen(options);
  const unit = secondsPerShare(rows, hours);
  for (const row of rows) {
    const results = await Promise.all(row.map((stage) => {
      const seconds = unit * stage.share;
      console.log(`nightly: ${stage.name}, about ${seconds.toFixed(0)} s: ${stage.about}`);
      return runStage(stage, { folder, seconds, short: hours < 1, seed, base, log: logTo(folder) });
    }));
    for (const result of results) {
      stages.push(result);
      console.log(`nightly: ${result.name} ${result.verdict}, ${result.seconds} s`);
      for (const fault of result.faults) console.log(`         ${fault}`);
    }
    index();
  }
  const { passed } = index();
  console.log(`nightly: ${passed ? "passed" : "FAILED"}; ${join(folder, "index.md")}`);
  return passed ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
