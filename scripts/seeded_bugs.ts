/**
 * `deno task seeded-bugs`: plants known bugs, one at a time, in a copy of the sources, and shows that the
 * simulation finds each.
 *
 * @module
 */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { run, seconds } from "./lib/process.ts";
import type { Sum } from "./sim.ts";

/** Seeds within which a bug must be found. */
const SEEDS = 1_000;
const FOLDER = join(ROOT, "test/seeded_bugs");
/** What the simulation needs of the tree. */
const COPIED = [
  "src",
  "scripts",
  "test/runtimes.ts",
  "mod.ts",
  "deno.json",
  "deno.lock",
  "package.json",
];

/** What became of one bug. */
export interface Found {
  readonly bug: string;
  /** The seed that found it, or `undefined`. */
  readonly seed: number | undefined;
  /** The invariant that broke, or what went wrong. */
  readonly what: string;
}

/** Names of the bugs: the patches, without their ending. */
export function bugNames(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith(".patch"))
    .map((name) => name.slice(0, -6)).sort();
}

/** What a patch plants: its first line. */
export function describeBug(bug: string): string {
  return readFileSync(join(FOLDER, `${bug}.patch`), "utf8").split("\n")[0]!;
}

/** Makes a copy of the sources with a bug in it. Returns why that failed, or `undefined`. */
export async function plant(bug: string, folder: string): Promise<string | undefined> {
  for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  // The lines around a bug may change; those that it replaces must be there.
  const { code, output } = await run("git", ["apply", "-p1", "-C0", join(FOLDER, `${bug}.patch`)], {
    cwd: folder,
  });
  return code === 0 ? undefined : output.trim();
}

/** Plants a bug and runs the simulation until it is found. */
export async function seek(bug: string): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), "ron-transport-bug-"));
  try {
    const problem = await plant(bug, folder);
    if (problem !== undefined) return { bug, seed: undefined, what: `does not apply: ${problem}` };
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const flags = ["run", "--no-check", "--no-prompt", "--allow-read", "--allow-env"];
    const sim = ["--allow-sys", "scripts/sim.ts", "--child", "--until-failure"];
    const { output } = await run(
      findRuntime("deno") ?? "deno",
      [...flags, ...sim, "--seeds", `${SEEDS}`],
      { cwd: folder, timeout: 300_000 },
    );
    const line = output.split("\n").find((text) => text.startsWith("sum "));
    if (line === undefined) {
      return { bug, seed: undefined, what: output.trim().slice(0, 200).replaceAll("\n", " ") };
    }
    const [failure] = (JSON.parse(line.slice(4)) as Sum).failures;
    if (failure === undefined) return { bug, seed: undefined, what: `not in ${SEEDS} seeds` };
    return { bug, seed: failure.seed, what: failure.invariant };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const filter = process.argv[2] ?? "";
  const bugs = bugNames().filter((name) => name.includes(filter));
  const start = performance.now();
  const results: Found[] = [];
  const queue = [...bugs];
  const worker = async (): Promise<void> => {
    for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
      results.push(await seek(bug));
    }
  };
  await Promise.all([worker(), worker()]);
  results.sort((a, b) => a.bug < b.bug ? -1 : 1);
  console.log("| bug | what it does | seed that finds it | invariant that breaks |");
  console.log("| --- | --- | --- | --- |");
  for (const { bug, seed, what } of results) {
    console.log(`| ${bug} | ${describeBug(bug)} | ${seed ?? "none"} | ${what} |`);
  }
  const found = results.filter(({ seed }) => seed !== undefined).length;
  console.log(
    `\n${found} of ${bugs.length} seeded bugs found, ${seconds(performance.now() - start)}`,
  );
  return found === bugs.length ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
