/**
 * `deno task bench` and `bun run bench`: every suite on this runtime, then `bench/RESULTS.md` anew from what
 * both runtimes have measured last.
 *
 *   [--quick]           a few calls of each, to see that all runs; RESULTS.md is made and thrown away
 *   [--only SUITE,...]  these suites only
 *   [--on deno,bun]     on these runtimes, one after the other, instead of this one
 *
 * Suites that compare with packages of npm or a native program install these first (not with --quick, which
 * leaves out what is missing). Records go to `bench/out/`, which git ignores.
 *
 * @module
 */

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findRuntime, ROOT, type RuntimeName, runtimeName } from "../test/runtimes.ts";
import { describeRun, writeRun } from "../bench/report/run.ts";
import { writeResults } from "../bench/report/results.ts";
import { run, seconds } from "./lib/process.ts";

interface Suite {
  readonly name: string;
  readonly program: string;
  /** Installs what it compares with. */
  readonly setup?: string;
}

const SUITES: readonly Suite[] = [
  { name: "micro", program: "bench/micro.ts" },
  { name: "codec", program: "bench/codec/ratios.ts", setup: "bench/codec/peers/setup.sh" },
  { name: "e2e", program: "bench/e2e/main.ts", setup: "bench/peers/setup.sh" },
  { name: "tls", program: "bench/tls/main.ts" },
  { name: "scaling", program: "bench/scaling/main.ts" },
  { name: "startup", program: "bench/startup/main.ts" },
  { name: "load", program: "bench/load/main.ts" },
  { name: "profile", program: "bench/profile/main.ts" },
];

const USAGE = `usage: deno task bench [--quick] [--only SUITE,...] [--on deno,bun]
suites: ${SUITES.map(({ name }) => name).join(", ")}`;

/** Most milliseconds for one suite. */
const PATIENCE = 480_000;

async function setUp({ name, setup }: Suite): Promise<void> {
  if (setup === undefined || !existsSync(join(ROOT, setup))) return;
  const { code, output, ms } = await run("bash", [setup], { timeout: PATIENCE });
  if (code === 0) console.log(`bench: ${name} is set up, ${seconds(ms)}`);
  else {console.log(
      `bench: ${setup} ended with code ${code}; what is missing is left out\n${output}`,
    );}
}

async function measure({ name, program }: Suite, folder: string, quick: boolean): Promise<boolean> {
  const file = join(folder, `${name}.json`);
  const flags = runtimeName() === "deno"
    ? ["run", "--quiet", "--no-check", "--allow-all", "--v8-flags=--expose-gc"]
    : [];
  const args = [...flags, program, "--json", file, ...(quick ? ["--quick"] : [])];
  rmSync(file, { force: true });
  console.log(`\n=== ${name}`);
  const { code, ms } = await run(process.execPath, args, { show: true, timeout: PATIENCE });
  const written = existsSync(file);
  console.log(`=== ${name}: ${code === 0 ? "ended" : `code ${code}`}, ${seconds(ms)}`);
  if (!written) console.log(`bench: ${program} wrote no ${file}`);
  return code === 0 && written;
}

interface Chosen {
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  readonly on: readonly string[];
}

function choose(args: readonly string[]): Chosen | string {
  let names = SUITES.map(({ name }) => name);
  let on: string[] = [];
  let quick = false;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--quick") quick = true;
    else if (args[i] === "--only") names = (args[++i] ?? "").split(",");
    else if (args[i] === "--on") on = (args[++i] ?? "").split(",");
    else if (args[i] !== "--") return `unknown option ${args[i]}`;
  }
  const unknown = names.find((wanted) => !SUITES.some(({ name }) => name === wanted));
  if (unknown !== undefined) return `no suite "${unknown}"`;
  const other = on.find((name) => name !== "deno" && name !== "bun");
  if (other !== undefined) return `--on wants deno or bun, and got "${other}"`;
  return { suites: SUITES.filter(({ name }) => names.includes(name)), quick, on };
}

/** Starts this script under other runtimes. */
async function elsewhere(on: readonly string[], args: readonly string[]): Promise<number> {
  let worst = 0;
  for (const name of on as readonly RuntimeName[]) {
    const path = findRuntime(name);
    if (path === undefined) {
      console.error(`bench: no ${name} here`);
      worst = 1;
      continue;
    }
    const flags = name === "deno" ? ["run", "--quiet", "--no-prompt", "--allow-all"] : [];
    const script = fileURLToPath(import.meta.url);
    const { code } = await run(path, [...flags, script, ...args], {
      show: true,
      timeout: 3_600_000,
    });
    if (code !== 0) worst = 1;
  }
  return worst;
}

async function main(args: readonly string[]): Promise<number> {
  const chosen = choose(args);
  if (typeof chosen === "string") {
    console.error(`bench: ${chosen}\n${USAGE}`);
    return 2;
  }
  if (chosen.on.length > 0) {
    const at = args.indexOf("--on");
    return await elsewhere(chosen.on, args.toSpliced(at, 2));
  }
  const { suites, quick } = chosen;
  const start = performance.now();
  const out = join(ROOT, "bench/out", ...(quick ? ["quick"] : []));
  const folder = join(out, runtimeName());
  const before = describeRun();
  const failed: string[] = [];
  for (const suite of suites) {
    if (!existsSync(join(ROOT, suite.program))) continue;
    if (!quick) await setUp(suite);
    if (!await measure(suite, folder, quick)) failed.push(suite.name);
  }
  const ms = performance.now() - start;
  const command = runtimeName() === "deno" ? "deno task bench" : "bun run bench";
  writeRun(folder, {
    ...before,
    command,
    seconds: Math.round(ms / 1000),
    loadAfter: describeRun().load,
  });
  const target = quick ? out : join(ROOT, "bench");
  for (const path of writeResults(out, target)) console.log(`bench: wrote ${path}`);
  console.log(
    `\nbench: ${seconds(ms)}${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}`,
  );
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
