/**
 * What a stage of the nightly run is, and what it leaves behind.
 *
 * @module
 */

import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ran, run, type RunOptions } from "../lib/process.ts";

/** How a stage ended. `left_out` needs a reason that the command line gave; what is missing has failed. */
export type Verdict = "passed" | "failed" | "left_out";

/** What a stage found. */
export interface StageResult {
  readonly name: string;
  readonly verdict: Verdict;
  readonly seconds: number;
  /** What was measured, for the index. */
  readonly figures: Readonly<Record<string, string | number>>;
  /** What does not hold, one line each; of a stage that was left out, why. */
  readonly faults: readonly string[];
  /** Files in the folder of the run. */
  readonly files: readonly string[];
}

/** What a stage gives back; the rest is known. */
export type Found = Partial<Pick<StageResult, "figures" | "faults" | "files">> & {
  readonly leftOut?: string;
};

/** What a stage may use. */
export interface StageContext {
  /** The folder of this run; all that is written goes there. */
  readonly folder: string;
  /** Seconds that the stage should take. */
  readonly seconds: number;
  /** Whether the whole run is shorter than an hour: full figures do not fit. */
  readonly short: boolean;
  /** Differs from night to night, and is told. */
  readonly seed: number;
  /** The revision that performance is compared with; the baseline's where none is given. */
  readonly base: string | undefined;
  /** Runs a program; its output goes to a file of the folder. */
  log(file: string, command: string, args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** One part of the nightly run. */
export interface Stage {
  readonly name: string;
  /** What it shows. */
  readonly about: string;
  /** Its part of the time. */
  readonly share: number;
  run(context: StageContext): Promise<Found>;
}

/** Runs a stage; what it throws is a fault of it. */
export async function runStage(stage: Stage, context: StageContext): Promise<StageResult> {
  const start = performance.now();
  let found: Found;
  try {
    found = await stage.run(context);
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    writeFileSync(join(context.folder, `${stage.name}-error.txt`), `${text}\n`);
    const faults = [`it did not come to an end: ${text.split("\n", 1)[0]}`];
    found = { faults, files: [`${stage.name}-error.txt`] };
  }
  const { leftOut, figures = {}, faults = [], files = [] } = found;
  const verdict = leftOut !== undefined ? "left_out" : faults.length === 0 ? "passed" : "failed";
  return {
    name: stage.name,
    verdict,
    seconds: Math.round((performance.now() - start) / 100) / 10,
    figures,
    faults: leftOut !== undefined ? [leftOut] : faults,
    files,
  };
}

/** A context's `log` for a folder. */
export function logTo(folder: string): StageContext["log"] {
  return async (file, command, args, options = {}) => {
    const ran = await run(command, args, options);
    const head = `$ ${command} ${args.join(" ")}\n`;
    const tail = `# ended with code ${ran.code} after ${(ran.ms / 1_000).toFixed(1)} s\n`;
    appendFileSync(join(folder, file), `${head}${ran.output.trimEnd()}\n${tail}`);
    return ran;
  };
}
