/**
 * Where and when a run took place.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT, runtimeName } from "../../test/runtimes.ts";

/** Everything one must know to repeat a run. */
export interface Run {
  readonly runtime: string;
  readonly command: string;
  /** Day, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Load of the last minute, before the run. */
  readonly load: number;
  readonly loadAfter: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
}

const FILE = "run.json";

/** This machine now; what only the end of a run can tell is 0 or empty. */
export function describeRun(): Run {
  const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
  return {
    runtime: runtimeName(),
    command: "",
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    load,
    loadAfter: load,
    versions: versions(),
    seconds: 0,
  };
}

/** Writes it beside the records of its runtime. */
export function writeRun(folder: string, run: Run): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, FILE), `${JSON.stringify(run, undefined, 1)}\n`);
}

/** Reads it; `undefined` when that runtime has measured nothing. */
export function readRun(folder: string): Run | undefined {
  const file = join(folder, FILE);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Run : undefined;
}

function output(command: string, ...args: string[]): string {
  return spawnSync(command, args, { cwd: ROOT, encoding: "utf8" }).stdout?.trim() ?? "";
}

/** With `+` when files differ from the commit: then the figures are of no commit. */
function commit(): string {
  const id = output("git", "rev-parse", "--short=10", "HEAD");
  if (id === "") return "unknown";
  const changed = output(
    "git",
    "status",
    "--porcelain",
    "--",
    "src",
    "mod.ts",
    "wasm",
    "bench/**/*.ts",
  );
  return changed === "" ? id : `${id}+`;
}

function versions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ["deno", "bun", "node"] as const) {
    const path = runtimeName() === name ? process.execPath : findRuntime(name);
    const version = path === undefined
      ? undefined
      : /\d+\.\d+\.\d+/.exec(output(path, "--version"));
    if (version) found[name] = version[0];
  }
  const rust = /\d+\.\d+\.\d+/.exec(output("rustc", "--version"));
  if (rust) found["rust"] = rust[0];
  return found;
}
