/**
 * Every benchmark against the committed baseline, in a copy of the tree, in runs that are long enough.
 *
 * @module
 */

import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../../test/runtimes.ts";
import { run } from "../lib/process.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

const DENO: readonly string[] = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all"];

/** The stage. */
export const benchmarks: Stage = {
  name: "benchmarks",
  about: "every benchmark, judged against bench/baseline.json",
  share: 0.1,
  run: benchAll,
};

async function benchAll({ folder, short, log }: StageContext): Promise<Found> {
  if (short) return { leftOut: "it takes 40 minutes: not in a run of less than an hour" };
  const deno = findRuntime("deno") ?? process.execPath;
  const place = mkdtempSync(join(tmpdir(), "ron-bench-"));
  const tree = join(place, "tree");
  try {
    // a copy, as it writes its results into the tree
    const added = await run("git", ["worktree", "add", "--detach", "--quiet", tree, "HEAD"]);
    if (added.code !== 0) return { faults: [`no copy of the tree: ${added.output}`] };
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
    const options = { cwd: tree, timeout: 7_200_000 };
    const args = [...DENO, "scripts/bench.ts", "--on", "deno,bun"];
    const ran = await log("benchmarks.txt", deno, args, options);
    const faults = ran.code === 0 ? [] : ["a benchmark did not come to an end: benchmarks.txt"];
    const judge = [...DENO, "bench/compare.ts", "bench/baseline.json", "bench/out"];
    const judged = await log("benchmarks.txt", deno, judge, options);
    if (judged.code !== 0) faults.push("figures are worse than the baseline: benchmarks.txt");
    const files = ["benchmarks.txt"];
    for (const name of ["RESULTS.md", "out", "charts"]) {
      if (!existsSync(join(tree, "bench", name))) continue;
      cpSync(join(tree, "bench", name), join(folder, "bench", name), { recursive: true });
      files.push(`bench/${name}`);
    }
    const said = judged.output.trim().split("\n").at(-1) ?? "";
    return { figures: { compared: said }, faults, files };
  } finally {
    await run("git", ["worktree", "remove", "--force", tree]);
    rmSync(place, { recursive: true, force: true });
  }
}
