/**
 * `deno task attack`: every attack at its full figures, and one table of what became of them.
 *
 * @module
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import process from "node:process";
import { pairs, type RowReport, table } from "../test/attack/rig/report.ts";
import type { Row, Scale } from "../test/attack/rig/waves_row.ts";
import { ROWS } from "../test/attack/rows/mod.ts";
import { type RuntimeName, runtimeName } from "../test/runtimes.ts";
import { seconds } from "./lib/process.ts";
import { compile } from "./lib/suites.ts";

const USAGE =
  `usage: deno task attack [NAME…] [--runtime deno|bun|node] [--full|--small] [--json FILE [--again]]

  NAME       attacks to run, by name or its beginning; all without one
  --runtime  what runs the attacked server; the runtime of this command without it
  --small    a second or so for each attack instead of the full figures
  --json     writes the reports to a file
  --again    runs only those that the file does not have as passed, and takes the others from it
  --list     names the attacks`;

interface Options {
  readonly rows: readonly Row[];
  readonly runtime: RuntimeName;
  readonly scale: Scale;
  readonly json: string | undefined;
  readonly again: boolean;
}

/** What `--json` writes, anew after each row: a run that is stopped has told what it knew. */
interface Saved {
  readonly machine: string;
  readonly runtime: RuntimeName;
  readonly scale: Scale;
  readonly rows: readonly RowReport[];
}

function usage(problem: string): never {
  console.error(`attack: ${problem}\n${USAGE}`);
  process.exit(2);
}

function named(name: string): Row[] {
  const found = ROWS.filter((row) => row.name.startsWith(name));
  if (found.length > 0) return found;
  return usage(`no attack "${name}": there are ${ROWS.map((row) => row.name).join(", ")}`);
}

function runtimeOf(text: string | undefined): RuntimeName {
  if (text === "deno" || text === "bun" || text === "node") return text;
  return usage(`--runtime wants deno, bun or node, and got "${text ?? ""}"`);
}

function parse(args: readonly string[]): Options {
  const rows: Row[] = [];
  let runtime = runtimeName();
  let scale: Scale = "full";
  let json: string | undefined;
  let again = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") continue;
    else if (arg === "--runtime") runtime = runtimeOf(args[++i]);
    else if (arg === "--full") scale = "full";
    else if (arg === "--small") scale = "small";
    else if (arg === "--json") json = args[++i] ?? usage("--json wants a file");
    else if (arg === "--again") again = true;
    else if (arg === "--list") {
      for (const { name, about } of ROWS) console.log(`${name.padEnd(16)}${about}`);
      process.exit(0);
    } else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else if (arg.startsWith("-")) usage(`unknown option ${arg}`);
    else rows.push(...named(arg).filter((row) => !rows.includes(row)));
  }
  if (again && json === undefined) usage("--again wants --json FILE");
  return { rows: rows.length > 0 ? rows : ROWS, runtime, scale, json, again };
}

/** Rows that have passed on this runtime at this scale, by a file of an earlier run. */
function passedBefore({ json, again, runtime, scale }: Options): RowReport[] {
  if (!again || json === undefined || !existsSync(json)) return [];
  const saved = JSON.parse(readFileSync(json, "utf8")) as Saved;
  if (saved.runtime !== runtime || saved.scale !== scale) {
    usage(`${json} is of ${saved.runtime} at ${saved.scale} figures`);
  }
  return saved.rows.filter(({ faults }) => faults.length === 0);
}

function load(): string {
  return loadavg().map((n) => n.toFixed(1)).join(" ");
}

async function runOne(row: Row, runtime: RuntimeName, scale: Scale): Promise<RowReport> {
  try {
    return await row.run({ runtime, scale });
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    return {
      name: row.name,
      load: "",
      refused: {},
      honest: undefined,
      resident: undefined,
      heap: undefined,
      descriptors: undefined,
      figures: {},
      faults: [`it did not come to an end: ${text}`],
      seconds: 0,
    };
  }
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  const { rows, runtime, scale, json } = options;
  const compiled = await compile();
  if (compiled.code !== 0) {
    console.error(`attack: the attackers do not compile for Node\n${compiled.output}`);
    return 1;
  }
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
  console.log(`${machine}, ${runtime}, ${scale}, ${new Date().toISOString()}, load ${load()}\n`);
  const known = new Map(passedBefore(options).map((row) => [row.name, row]));
  for (const row of rows) {
    if (known.has(row.name)) continue;
    const ran = `${new Date().toISOString().slice(0, 16)}, ${loadavg()[0]?.toFixed(1)}`;
    const report = { ...await runOne(row, runtime, scale), ran };
    known.set(row.name, report);
    const verdict = report.faults.length === 0 ? "pass" : "FAIL";
    const figures = Object.entries(report.figures).map(([name, value]) => `${name} ${value}`);
    console.log(
      `${verdict}  ${row.name}  ${seconds(report.seconds * 1_000)}  ${pairs(report.refused)}` +
        `  ${figures.join(", ")}  load ${load()}`,
    );
    for (const fault of report.faults) console.log(`      ${fault}`);
    if (json === undefined) continue;
    const saved: Saved = { machine, runtime, scale, rows: [...known.values()] };
    writeFileSync(json, `${JSON.stringify(saved)}\n`);
  }
  const reports = ROWS.flatMap(({ name }) => known.get(name) ?? []);
  console.log(`\n${table(reports)}`);
  const failed = reports.filter(({ faults }) => faults.length > 0).length;
  console.log(`\n${reports.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
