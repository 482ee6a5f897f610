/**
 * Mutants: do the tests notice small faults? Only when it is asked for, as it takes both processors.
 *
 * @module
 */

import process from "node:process";
import { findRuntime } from "../../test/runtimes.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** The stage. */
export const mutants: Stage = {
  name: "mutants",
  about: "small faults in copies of the sources, which the tests must notice",
  share: 0.1,
  run: mutate,
};

async function mutate({ log, seed, seconds }: StageContext): Promise<Found> {
  const deno = findRuntime("deno") ?? process.execPath;
  // about 4 s each, 15 files
  const each = Math.max(1, Math.min(40, Math.floor(seconds / 60)));
  const flags = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all"];
  const args = [...flags, "scripts/mutants.ts", "--each", String(each), "--seed", String(seed)];
  const { code, output } = await log("mutants.txt", deno, args, { timeout: 14_400_000 });
  const said = output.trim().split("\n").at(-1) ?? "";
  const faults = code === 0 ? [] : [said];
  return { figures: { found: said }, faults, files: ["mutants.txt"] };
}
