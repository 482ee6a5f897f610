/**
 * Where processor time goes over loopback, in requests of 64 B with 64 in flight and in frames of 64 KiB: `deno run -A bench/profile/main.ts`, or
 * `bun bench/profile/main.ts`. Both ends are processes of their own, each with the profiler on.
 *
 *   [--quick]        a moment only
 *   [--json FILE]    the 15 functions with most time of their own, as a record
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { ROOT, runtimeName } from "../../test/runtimes.ts";
import { type Row, writeRecord } from "../report/record.ts";
import { type CpuProfile, type SelfTime, selfTimes } from "./self_time.ts";

/** A client's script, and what the two ends do. */
type Workload = readonly [script: string, near: string, far: string];

const WORKLOADS: readonly Workload[] = [
  ["ask.ts", "asking", "answering"],
  ["send.ts", "sending", "receiving"],
];
const TOP = 15;
/** Milliseconds until an end that hangs is killed, besides the time it asks. */
const PATIENCE = 30_000;

interface End {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly ended: Promise<number | null>;
}

function start(script: string, folder: string, args: readonly string[], ms: number): End {
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=500"];
  const deno = ["run", "--quiet", "--no-check", "--allow-all"];
  const path = join(ROOT, "bench/profile", script);
  const all = runtimeName() === "deno" ? [...deno, ...flags, path] : [...flags, path];
  const child = spawn(process.execPath, [...all, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: ms + PATIENCE,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, ended: new Promise((resolve) => child.once("close", resolve)) };
}

async function line({ lines, ended }: End, who: string): Promise<unknown> {
  const { done, value } = await lines.next();
  if (done === true) {
    throw new Error(`profile: ${who} ended with code ${await ended} and no result`);
  }
  return JSON.parse(value);
}

/** The one profile that a process left in its folder. */
function profile(folder: string): SelfTime[] {
  const [name] = readdirSync(folder).filter((file) => file.endsWith(".cpuprofile"));
  if (name === undefined) throw new Error(`profile: no .cpuprofile in ${folder}`);
  return selfTimes(JSON.parse(readFileSync(join(folder, name), "utf8")) as CpuProfile);
}

function rows(what: string, times: readonly SelfTime[]): Row[] {
  const used = new Map<string, number>();
  return times.slice(0, TOP).map(({ name, file, line, percent }) => {
    const id = `${what}.${slug(`${name}_${file.split("/").at(-1) ?? ""}`)}`;
    const times = (used.get(id) ?? 0) + 1; // files of one name in two folders
    used.set(id, times);
    return {
      id: times === 1 ? id : `${id}_${times}`,
      work: `${what}: \`${name}\``,
      ours: percent,
      peer: null,
      against: "",
      unit: "%",
      ratio: null,
      goal: null,
      rounds: 1,
      note: file === "" ? "the engine" : `${file}:${line}`,
    };
  });
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
}

/** A client against `serve.ts`, both under the profiler. */
async function measure(
  [script, near, far]: Workload,
  ms: number,
): Promise<{ rows: Row[]; done: number }> {
  const folder = mkdtempSync(join(tmpdir(), "ron-profile-"));
  const [serving, asking] = [join(folder, "serve"), join(folder, "ask")];
  const server = start("serve.ts", serving, [], ms);
  try {
    const address = await line(server, "serve.ts") as string;
    const client = start(script, asking, [address, String(ms)], ms);
    const done = await line(client, script) as number;
    const codes = await Promise.all([client.ended, server.ended]);
    if (codes.some((code) => code !== 0)) throw new Error(`profile: ended with codes ${codes}`);
    return {
      rows: [...rows(near, profile(asking)), ...rows(far, profile(serving))],
      done,
    };
  } finally {
    server.child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--json");
  const file = at < 0 ? undefined : args[at + 1];
  const ms = args.includes("--quick") ? 500 : 5000;
  const rows: Row[] = [];
  for (const workload of WORKLOADS) {
    const made = await measure(workload, ms);
    console.log(`${workload[0]}: ${made.done} in ${ms} ms, with the profiler on`);
    rows.push(...made.rows);
  }
  for (const { work, ours, note } of rows) {
    console.log(`${work.padEnd(56)}${ours.toFixed(1).padStart(6)} %  ${note}`);
  }
  const runtime = runtimeName();
  const version = process.versions[runtime] ?? "";
  if (file !== undefined) writeRecord(file, { suite: "profile", runtime, version, rows });
}

await main(process.argv.slice(2));
