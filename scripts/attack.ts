/**
 * `deno task attack`: every attack at its full figures, and one table of what became of them.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import process from "node:process";
import { pairs, type RowReport, table } from "../test/attack/rig/report.ts";
import type { Row, Scale } from "../test/attack/rig/waves_row.ts";
import { ROWS } from "../test/attack/rows/mod.ts";
import { type RuntimeName, runtimeName } from "../test/runtimes.ts";
import { seconds } from "./lib/process.ts";
import { compile } from "./lib/suites.ts";

const USAGE =
  `usage: deno task attack [NAME…] [--runtime deno|bun|node] [--full|--small] [--json FILE]

  NAME       attacks to run, by name or its beginning; all without one
  --runtime  what runs the attacked server; the runtime of this command without it
  --small    a second or so for each attack instead of the full figures
  --json     writes the reports to a file
  --list     names the attacks`;

interface Options {
  readonly rows: readonly Row[];
  readonly runtime: RuntimeName;
  readonly scale: Scale;
  readonly json: string | undefined;
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
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") continue;
    else if (arg === "--runtime") runtime = runtimeOf(args[++i]);
    else if (arg === "--full") scale = "full";
    else if (arg === "--small") scale = "small";
    else if (arg === "--json") json = args[++i] ?? usage("--json wants a file");
    else if (arg === "--list") {
      for (const { name, about } of ROWS) console.log(`${name.padEnd(16)}${about}`);
      process.exit(0);
    } else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else if (arg.startsWith("-")) usage(`unknown option ${arg}`);
    else rows.push(...named(arg).filter((row) => !rows.includes(row)));
  }
  return { rows: rows.length > 0 ? rows : ROWS, runtime, scale, json };
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
  const { rows, runtime, scale, json } = parse(process.argv.slice(2));
  const compiled = await compile();
  if (compiled.code !== 0) {
    console.error(`attack: the attackers do not compile for Node\n${compiled.output}`);
    return 1;
  }
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
  const when = new Date().toISOString();
  console.log(`${machine}, ${runtime}, ${scale}, ${when}, load ${load()}\n`);
  const reports: RowReport[] = [];
  for (const row of rows) {
    const report = await runOne(row, runtime, scale);
    reports.push(report);
    const verdict = report.faults.length === 0 ? "pass" : "FAIL";
    const figures = Object.entries(report.figures).map(([name, value]) => `${name} ${value}`);
    console.log(
      `${verdict}  ${row.name}  ${seconds(report.seconds * 1_000)}  ${pairs(report.refused)}` +
        `  ${figures.join(", ")}  load ${load()}`,
    );
    for (const fault of report.faults) console.log(`      ${fault}`);
    if (json === undefined) continue;
    // after each row, so that a run that is stopped has told what it knew
    const text = JSON.stringify({ machine, runtime, scale, when, load: load(), rows: reports });
    writeFileSync(json, `${text}\n`);
  }
  console.log(`\n${table(reports)}`);
  const failed = reports.filter(({ faults }) => faults.length > 0).length;
  console.log(`\n${reports.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
