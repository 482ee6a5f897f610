/**
 * Models: every interleaving of the small ones, and the simulation over seeds of this night.
 *
 * @module
 */

import process from "node:process";
import { findRuntime } from "../../test/runtimes.ts";
import { readDeno, tally } from "../lib/report.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** Seeds in one process, so that the time can be kept. */
const CHUNK = 400;
const DENO: readonly string[] = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all"];

/** The stage. */
export const models: Stage = {
  name: "models",
  about: "every order of events in the models, and the simulation on seeds of this night",
  share: 0.15,
  run: runModels,
};

async function runModels(context: StageContext): Promise<Found> {
  const deno = findRuntime("deno") ?? process.execPath;
  const faults: string[] = [];
  const flags = ["test", "--no-check", "--no-prompt", "--allow-all", "test/model", "test/sim"];
  const ran = await context.log("models.txt", deno, flags, { env: { RON_SIM_SEEDS: "50" } });
  const counts = tally(readDeno(ran.output).leaves);
  if (ran.code !== 0) faults.push(`${Math.max(1, counts.failed)} of the models fail: models.txt`);
  const figures: Record<string, string | number> = { "model tests": counts.passed };
  for (const [on, share] of [["deno", 0.7], ["bun", 0.3]] as const) {
    const { seeds, failed } = await simulate(context, deno, on, context.seconds * share);
    figures[`seeds on ${on}`] = seeds;
    if (failed) faults.push(`the simulation fails on ${on}: models.txt has the seed`);
  }
  return { figures, faults, files: ["models.txt"] };
}

async function simulate(
  { log, seed, seconds: _all }: StageContext,
  deno: string,
  on: "deno" | "bun",
  seconds: number,
): Promise<{ seeds: number; failed: boolean }> {
  const end = performance.now() + seconds * 1_000;
  let first = (seed % 1_000_000) * 1_000 + 1;
  let seeds = 0;
  do {
    const range = ["--seeds", String(CHUNK), "--first", String(first), "--on", on];
    const { code } = await log("models.txt", deno, [...DENO, "scripts/sim.ts", ...range]);
    if (code !== 0) return { seeds, failed: true };
    seeds += CHUNK;
    first += CHUNK;
  } while (performance.now() < end);
  return { seeds, failed: false };
}
