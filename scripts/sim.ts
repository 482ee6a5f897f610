/**
 * `deno task sim`: the deterministic simulation over many seeds, or one seed again.
 *
 * @module
 */

import process from "node:process";
import { simulate, SimulationFailure } from "../src/testing/mod.ts";
import { findRuntime } from "../test/runtimes.ts";
import { run, seconds } from "./lib/process.ts";

const USAGE =
  `usage: deno task sim [--seeds N] [--first S] [--jobs N] [--on deno|bun] [--until-failure]
       deno task sim --seed S [--events]

  --seeds          how many seeds to run (10000)
  --first          the first of them (1)
  --jobs           processes to run them in (2)
  --on             the runtime to run them on (deno)
  --until-failure  end each process at its first seed that fails
  --seed           run this one alone, and say what it did
  --events         print every event of it`;

interface Options {
  seeds: number;
  first: number;
  jobs: number;
  on: "deno" | "bun";
  seed: number | undefined;
  events: boolean;
  /** Stops at the first seed that fails. */
  untilFailure: boolean;
}

/** What a range of seeds gave. */
export interface Sum {
  seeds: number;
  steps: number;
  done: number;
  refused: number;
  accepted: number;
  failures: { seed: number; invariant: string; message: string }[];
}

/** Failures that are shown in full; the others are only named. */
const SHOWN = 3;

function usage(problem: string): never {
  console.error(`sim: ${problem}\n${USAGE}`);
  process.exit(2);
}

function parse(args: readonly string[]): Options & { child: boolean } {
  const options: Options & { child: boolean } = {
    seeds: 10_000,
    first: 1,
    jobs: 2,
    on: "bun" in process.versions ? "bun" : "deno",
    seed: undefined,
    events: false,
    untilFailure: false,
    child: false,
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const value = (): number => {
      const n = Number(args[++i]);
      return Number.isSafeInteger(n) && n >= 0 ? n : usage(`${arg} wants a whole number`);
    };
    if (arg === "--") continue;
    else if (arg === "--seeds") options.seeds = value();
    else if (arg === "--first") options.first = value();
    else if (arg === "--jobs") options.jobs = Math.max(1, value());
    else if (arg === "--seed") options.seed = value();
    else if (arg === "--events") options.events = true;
    else if (arg === "--until-failure") options.untilFailure = true;
    else if (arg === "--child") options.child = true; // one job of several: prints its sum as JSON
    else if (arg === "--on") {
      const on = args[++i];
      if (on !== "deno" && on !== "bun") usage(`--on wants deno or bun, and got "${on}"`);
      options.on = on;
    } else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else usage(`unknown option ${arg}`);
  }
  return options;
}

/** Runs seeds one after the other. */
async function runRange(first: number, seeds: number, untilFailure: boolean): Promise<Sum> {
  const sum: Sum = { seeds: 0, steps: 0, done: 0, refused: 0, accepted: 0, failures: [] };
  let current = first;
  process.on("unhandledRejection", (cause) => {
    const message = `Seed ${current} leaves a rejected promise that nobody handles: ${cause}`;
    sum.failures.push({ seed: current, invariant: "no unhandled rejection", message });
  });
  for (let seed = first; seed < first + seeds; seed++) {
    current = seed;
    try {
      const { steps, done, refused, accepted } = await simulate(seed);
      sum.steps += steps;
      sum.done += done;
      sum.refused += refused;
      sum.accepted += accepted;
    } catch (error) {
      const invariant = error instanceof SimulationFailure ? error.invariant : "no exception";
      const message = error instanceof SimulationFailure
        ? error.message
        : `Seed ${seed} throws ${error instanceof Error ? error.stack : error}`;
      sum.failures.push({ seed, invariant, message });
    }
    sum.seeds++;
    if (untilFailure && sum.failures.length > 0) break;
    // Rejections that nobody handles are told between turns.
    if (seed % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  return sum;
}

function commandOf(on: "deno" | "bun"): [command: string, args: string[]] {
  if (on === "bun") return [findRuntime("bun") ?? "bun", []];
  const flags = ["run", "--no-check", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"];
  return [findRuntime("deno") ?? "deno", flags];
}

async function runJobs({ first, seeds, jobs, on, untilFailure }: Options): Promise<Sum> {
  const size = Math.ceil(seeds / jobs);
  const [command, args] = commandOf(on);
  const sums = await Promise.all(
    Array.from({ length: Math.min(jobs, seeds) }, async (_, i): Promise<Sum> => {
      const from = first + i * size;
      const n = Math.max(0, Math.min(size, first + seeds - from));
      const range = ["--child", "--first", `${from}`, "--seeds", `${n}`];
      if (untilFailure) range.push("--until-failure");
      const { code, output } = await run(command, [...args, "scripts/sim.ts", ...range], {
        timeout: 1_800_000,
      });
      const line = output.split("\n").find((text) => text.startsWith("sum "));
      if (code === 0 && line !== undefined) return JSON.parse(line.slice(4)) as Sum;
      const message = `A process that ran seeds ${from} to ${from + n - 1} ended badly:\n${output}`;
      const failures = [{ seed: from, invariant: "no crash", message }];
      return { seeds: 0, steps: 0, done: 0, refused: 0, accepted: 0, failures };
    }),
  );
  return sums.reduce((a, b) => ({
    seeds: a.seeds + b.seeds,
    steps: a.steps + b.steps,
    done: a.done + b.done,
    refused: a.refused + b.refused,
    accepted: a.accepted + b.accepted,
    failures: [...a.failures, ...b.failures],
  }));
}

function tell(sum: Sum, on: string, ms: number): void {
  for (const { message } of sum.failures.slice(0, SHOWN)) console.log(`${message}\n`);
  const rest = sum.failures.slice(SHOWN);
  for (const { seed, invariant } of rest.slice(0, 50)) console.log(`seed ${seed}: ${invariant}`);
  if (rest.length > 50) console.log(`and ${rest.length - 50} more`);
  const rate = sum.seeds / (ms / 1_000);
  console.log(
    `sim on ${on}: ${sum.seeds} seeds, ${sum.failures.length} failed; ${
      rate.toFixed(0)
    } seeds/s, ` +
      `${seconds(ms)}; ${sum.steps} steps, ${sum.accepted} connections accepted, ` +
      `${sum.refused} refused, ${sum.done} pieces of honest work done`,
  );
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  if (options.child) {
    const { first, seeds, untilFailure } = options;
    console.log(`sum ${JSON.stringify(await runRange(first, seeds, untilFailure))}`);
    return 0;
  }
  if (options.seed !== undefined) {
    const { events, seed } = options;
    try {
      console.log(await simulate(seed, events ? { onEvent: (line) => console.log(line) } : {}));
      return 0;
    } catch (error) {
      console.log(error instanceof SimulationFailure ? error.message : error);
      return 1;
    }
  }
  const start = performance.now();
  const sum = await runJobs(options);
  tell(sum, options.on, performance.now() - start);
  return sum.failures.length === 0 && sum.seeds === options.seeds ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
