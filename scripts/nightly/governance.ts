/**
 * Governance: the check that merges have, and the drill.
 *
 * @module
 */

import process from "node:process";
import { findRuntime } from "../../test/runtimes.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** The stage. */
export const governance: Stage = {
  name: "governance",
  about: "the check of what may change, and the drill of somebody who raises a limit all the same",
  share: 0.05,
  run: govern,
};

async function govern({ log }: StageContext): Promise<Found> {
  const deno = findRuntime("deno") ?? process.execPath;
  const cli = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all", "src/cli/main.ts"];
  const faults: string[] = [];
  const figures: Record<string, string | number> = {};
  for (const action of ["check", "drill"]) {
    const { code, output, ms } = await log("governance.txt", deno, [...cli, "governance", action], {
      timeout: 1_200_000,
    });
    figures[action] = `${code === 0 ? "holds" : `code ${code}`}, ${(ms / 1_000).toFixed(0)} s`;
    if (code !== 0) faults.push(`${action}: ${output.trim().split("\n").at(-1) ?? "no output"}`);
  }
  return { figures, faults, files: ["governance.txt"] };
}
