/**
 * Fuzzing: every target on every runtime, an equal time each.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import { availableParallelism } from "node:os";
import { fileNameOf, type FuzzOutcome } from "../../test/fuzz/engine.ts";
import { TARGETS } from "../../test/fuzz/targets/mod.ts";
import { findRuntime, type RuntimeName } from "../../test/runtimes.ts";
import { spawnRuntime } from "../../test/spawn.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

interface Job {
  readonly runtime: RuntimeName;
  readonly target: string;
}

type Outcome = Omit<FuzzOutcome, "findings"> & {
  readonly findings: readonly { readonly message: string; readonly hex: string }[];
};

/** Seconds beyond its time after which a worker hangs. */
const GRACE = 60;

/** The stage. */
export const fuzzing: Stage = {
  name: "fuzz",
  about: "mutated inputs to every parser of what strangers and operators write, with oracles",
  share: 0.4,
  run: fuzzAll,
};

async function fuzzAll(context: StageContext): Promise<Found> {
  const runtimes = (["deno", "bun", "node"] as const).filter((one) => findRuntime(one));
  const jobs = TARGETS.flatMap(({ name }) =>
    runtimes.map((runtime): Job => ({ runtime, target: name }))
  );
  // one processor is left to what runs beside it
  const workers = Math.max(1, availableParallelism() - 1);
  const seconds = Math.max(1, (context.seconds * workers) / jobs.length);
  const outcomes: (Outcome & Job)[] = [];
  const faults: string[] = [];
  const files = ["fuzz.json"];
  const queue = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { outcome, fault } = await fuzzOne(job, seconds, context.seed);
      if (fault !== undefined) faults.push(fault);
      if (outcome === undefined) continue;
      outcomes.push({ ...outcome, ...job });
      for (const { message, hex } of outcome.findings) {
        const file = keep(context.folder, job.target, hex);
        files.push(file);
        faults.push(`${job.target} on ${job.runtime}: ${message.split("\n", 1)[0]} (${file})`);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  writeFileSync(join(context.folder, "fuzz.json"), `${JSON.stringify(outcomes, undefined, 1)}\n`);
  const executions = outcomes.reduce((sum, one) => sum + one.executions, 0);
  const figures: Record<string, string | number> = {
    executions,
    targets: TARGETS.length,
    runtimes: runtimes.join(", "),
    "seconds each": Math.round(seconds),
    seed: context.seed,
    "slowest input": `${Math.max(0, ...outcomes.map((one) => one.slowestMs)).toFixed(0)} ms`,
  };
  for (const { name } of TARGETS) {
    const own = outcomes.filter((one) => one.target === name);
    const runs = own.reduce((sum, one) => sum + one.executions, 0);
    const behaviours = Math.max(0, ...own.map((one) => one.behaviours));
    figures[name] = `${runs} executions, ${behaviours} behaviours`;
  }
  return { figures, faults, files };
}

async function fuzzOne(
  { runtime, target }: Job,
  seconds: number,
  seed: number,
): Promise<{ outcome?: Outcome; fault?: string }> {
  const args = [target, String(seconds), String(seed)];
  await using child = spawnRuntime(runtime, "test/fuzz/worker.ts", args, {
    denoFlags: ["--quiet", "--no-prompt", "--no-check", "--allow-all"],
  });
  const late = setTimeout(() => child.kill("SIGKILL"), (seconds + GRACE) * 1_000);
  let executions = "0";
  let outcome: Outcome | undefined;
  for await (const line of child.lines) {
    if (line.startsWith("executions ")) executions = line.slice(11);
    if (line.startsWith("outcome ")) outcome = JSON.parse(line.slice(8)) as Outcome;
  }
  clearTimeout(late);
  const { code, signal } = await child.exit;
  if (outcome !== undefined && code === 0) return { outcome };
  const error = child.stderr().trim().split("\n").slice(0, 4).join(" | ").slice(0, 400);
  const how = `ended with ${signal ?? `code ${code}`} after ${executions} inputs of seed ${seed}`;
  return {
    ...(outcome === undefined ? {} : { outcome }),
    fault: `${target} on ${runtime}: ${how}: ${error}`,
  };
}

/** Writes an input where the corpus would have it. */
function keep(folder: string, target: string, hex: string): string {
  const input = Buffer.from(hex, "hex");
  const file = `corpus/${target}/${fileNameOf(input)}`;
  mkdirSync(join(folder, "corpus", target), { recursive: true });
  writeFileSync(join(folder, file), input);
  return file;
}
