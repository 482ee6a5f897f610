/**
 * What there is to pay before the first byte: `deno run -A bench/startup/main.ts`, or `bun bench/startup/main.ts`.
 *
 *   [--quick]        to see that it runs
 *   [--json FILE]    the figures as a record
 *
 * Every figure is of a fresh process; processes of all kinds take turns. Processor time counts, because a
 * start waits for the disk, and on a busy machine for its turn; wall time is told as well.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { reachable, readGraph } from "../../scripts/lib/graph.ts";
import { WASM_BASE64 } from "../../src/oap/hot_wasm.ts";
import { ROOT, runtimeName } from "../../test/runtimes.ts";
import { median } from "../codec/paired.ts";
import { reached, type Row, writeRecord } from "../report/record.ts";
import type { Lap } from "./clock.ts";
import { compiledPackage } from "./package.ts";

/** A script of `scripts/`, its arguments, and the laps of each round. */
interface Script {
  readonly args: readonly string[];
  readonly rounds: Lap[][];
}

/**
 * What listening on TCP loads from others, besides what only the types name: Bun's sockets are none of
 * `node:net`'s, and `node:fs` holds its spare descriptor.
 */
function packages(): string[] {
  const found = [...reachable(readGraph(ROOT), "mod.ts").keys()].filter((name) =>
    !name.startsWith("src/") && !name.includes(":") && name !== "mod.ts"
  );
  return [...found, runtimeName() === "bun" ? "node:fs" : "node:net"];
}

function start(args: readonly string[]): Lap[] {
  const flags = runtimeName() === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const [script = "", ...rest] = args;
  const path = join(ROOT, "bench/startup/scripts", script);
  const { status, stdout } = spawnSync(process.execPath, [...flags, path, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`startup: ${script} ended with code ${status}`);
  return stdout.toString().trim().split("\n").map((line) => JSON.parse(line) as Lap);
}

/** Runs all scripts in turns; the first turn fills caches and does not count. */
function measure(scripts: readonly Script[], rounds: number): void {
  for (let round = 0; round <= rounds; round++) {
    for (let k = 0; k < scripts.length; k++) {
      const one = scripts[(k + round) % scripts.length] as Script;
      const laps = start(one.args);
      if (round > 0) one.rounds.push(laps);
    }
  }
}

type Pick = (laps: readonly Lap[]) => number;

const cpu = (at: number): Pick => (laps) => laps[at]?.cpuMs ?? NaN;
const wall = (at: number): Pick => (laps) => laps[at]?.wallMs ?? NaN;
const whole: Pick = (laps) => laps.at(-1)?.processMs ?? NaN;

function compare(
  id: string,
  work: string,
  [ours, other]: readonly [Script, Script],
  pick: Pick,
  against: string,
  goal: number | null,
): Row {
  const ratios = ours.rounds.map((laps, i) => pick(other.rounds[i] ?? []) / pick(laps));
  return {
    id,
    work,
    ours: median(ours.rounds.map(pick)),
    peer: median(other.rounds.map(pick)),
    against,
    unit: "ms",
    ratio: median(ratios),
    goal,
    rounds: ours.rounds.length,
  };
}

function bound(
  id: string,
  work: string,
  ours: number,
  most: number,
  unit: string,
  rounds: number,
): Row {
  const against = `${most} ${unit}`;
  return { id, work, ours, peer: most, against, unit, ratio: most / ours, goal: 1, rounds };
}

function rows(rounds: number): Row[] {
  const names = packages();
  const listen: Script = { args: ["listen.ts", join(ROOT, "mod.ts")], rounds: [] };
  const packed: Script = { args: ["listen.ts", compiledPackage()], rounds: [] };
  const others: Script = { args: ["packages.ts", ...names], rounds: [] };
  const empty: Script = { args: ["empty.ts"], rounds: [] };
  const oap = join(ROOT, "src/oap/mod.ts");
  const codec: Script = { args: ["codec.ts", oap], rounds: [] };
  const atOnce: Script = { args: ["codec.ts", oap, "at-once"], rounds: [] };
  measure([listen, packed, others, empty, codec, atOnce], rounds);
  const imports = `import of ${names.join(" and ")} alone`;
  const middle = (script: Script, pick: Pick): number => median(script.rounds.map(pick));
  const alone = (id: string, work: string, script: Script, pick: Pick): Row => ({
    id,
    work,
    ours: middle(script, pick),
    peer: null,
    against: "",
    unit: "ms",
    ratio: null,
    goal: null,
    rounds,
  });
  const artefact = Uint8Array.from(atob(WASM_BASE64), (char) => char.charCodeAt(0));
  const kib = (bytes: number): number => bytes / 1024;
  return [
    compare(
      "import_to_listen",
      "import of `.` to the first listen, processor time",
      [listen, others],
      cpu(0),
      imports,
      1 / 1.5,
    ),
    compare(
      "import_to_listen_wall",
      "the same, wall time",
      [listen, others],
      wall(0),
      imports,
      null,
    ),
    compare(
      "package_to_listen",
      "the same with the npm package, processor time",
      [packed, others],
      cpu(0),
      imports,
      null,
    ),
    compare(
      "process_listen",
      "a whole process that listens and ends, processor time",
      [listen, empty],
      whole,
      "an empty script",
      null,
    ),
    bound(
      "first_instance",
      "first instance once an address is bound, processor time",
      middle(codec, cpu(1)),
      3,
      "ms",
      rounds,
    ),
    alone("first_instance_wall", "the same, wall time", codec, wall(1)),
    alone(
      "first_instance_at_once",
      "first instance right after the import, processor time",
      atOnce,
      cpu(1),
    ),
    alone("import_codec", "import of ./oap, processor time", codec, cpu(0)),
    bound("artefact_raw", "artefact", kib(artefact.length), 120, "KiB", 1),
    bound(
      "artefact_gzip",
      "artefact, gzip -9",
      kib(gzipSync(artefact, { level: 9 }).length),
      50,
      "KiB",
      1,
    ),
  ];
}

function main(args: readonly string[]): void {
  const at = args.indexOf("--json");
  const file = at < 0 ? undefined : args[at + 1];
  const made = rows(args.includes("--quick") ? 1 : 15);
  for (const row of made) {
    const { work, ours, unit, ratio, against, goal } = row;
    const verdict = goal === null ? "" : reached(row) ? ": reached" : ": MISSED";
    const compared = ratio === null ? "" : `  ${ratio.toFixed(2)} x ${against}${verdict}`;
    console.log(`${work.padEnd(56)}${ours.toFixed(2).padStart(9)} ${unit}${compared}`);
  }
  const runtime = runtimeName();
  const version = process.versions[runtime] ?? "";
  if (file !== undefined) writeRecord(file, { suite: "startup", runtime, version, rows: made });
}

main(process.argv.slice(2));
