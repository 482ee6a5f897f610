/**
 * Attacks: all of them on one runtime in a short run, at their full figures on each in a long one.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { RowReport } from "../../test/attack/rig/report.ts";
import { findRuntime, type RuntimeName } from "../../test/runtimes.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** The stage. */
export const attacks: Stage = {
  name: "attack",
  about: "a server under attack, and an honest client beside it",
  share: 0.15,
  run: attackAll,
};

async function attackAll({ folder, short, seed, log }: StageContext): Promise<Found> {
  const runtimes = short ? [RUNTIMES[seed % 3]!] : RUNTIMES;
  const faults: string[] = [];
  const files = ["attack.txt"];
  const figures: Record<string, string | number> = { scale: short ? "small" : "full" };
  for (const runtime of runtimes) {
    const file = `attack-${runtime}.json`;
    const flags = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all"];
    const args = ["scripts/attack.ts", "--runtime", runtime, "--json", join(folder, file)];
    const deno = findRuntime("deno") ?? process.execPath;
    const ran = await log("attack.txt", deno, [...flags, ...args, short ? "--small" : "--full"], {
      timeout: short ? 900_000 : 7_200_000,
    });
    const rows = existsSync(join(folder, file))
      ? (JSON.parse(readFileSync(join(folder, file), "utf8")) as { rows: RowReport[] }).rows
      : [];
    if (rows.length > 0) files.push(file);
    const failed = rows.filter((row) => row.faults.length > 0);
    for (const row of failed) faults.push(`${row.name} on ${runtime}: ${row.faults.join("; ")}`);
    if (ran.code !== 0 && failed.length === 0) {
      faults.push(`on ${runtime} it ended with code ${ran.code}: attack.txt`);
    }
    figures[runtime] = `${rows.length - failed.length} of ${rows.length} withstood`;
  }
  return { figures, faults, files };
}
