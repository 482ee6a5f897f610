/**
 * The codec against its peers, in ratios: `deno run -A bench/codec/ratios.ts`, or `bun bench/codec/ratios.ts`.
 *
 *   [--quick]        to see that it runs
 *   [--only TEXT]    tables whose name has this in it
 *   [--json FILE]    the figures, as JSON
 *
 * Peers come by `bench/codec/peers/setup.sh`; those that are missing are left out.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../test/runtimes.ts";
import { large, linear, type Look, small } from "./decode.ts";
import { loops, onBatch } from "./connection.ts";
import { heap } from "./cost.ts";
import { headers } from "./encode.ts";
import { guard } from "./guard.ts";
import { type Effort, FULL, QUICK } from "./paired.ts";
import { type Optional, optional } from "./peers/optional.ts";
import { reached, writeRecord } from "../report/record.ts";
import { lines, rows, type Table } from "./report.ts";

interface Part {
  readonly name: string;
  readonly run: (effort: Effort, peers: Optional) => Table | Table[] | Promise<Table | Table[]>;
}

const LOOKS: readonly Look[] = ["fields", "payload"];
const PARTS: readonly Part[] = [
  ...[0, 64, 1024].flatMap((size) =>
    LOOKS.map((look): Part => ({
      name: `decode-${size}-${look}`,
      run: (effort, peers) => small(size, look, effort, peers),
    }))
  ),
  { name: "decode-large", run: large },
  { name: "decode-linear", run: linear },
  { name: "framed", run: onBatch },
  { name: "loops", run: loops },
  { name: "headers", run: headers },
  { name: "guard", run: guard },
  { name: "heap", run: heap },
];
const SELF = fileURLToPath(import.meta.url);

function value(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

/** Each part in a process of its own: what an engine has learnt of one would slow the next down. */
function apart(name: string, quick: boolean): Table[] {
  const flags = runtimeName() === "deno"
    ? ["run", "--quiet", "--no-check", "--allow-all", "--v8-flags=--expose-gc"]
    : [];
  const args = [...flags, SELF, "--part", name, ...(quick ? ["--quick"] : [])];
  const { status, stdout } = spawnSync(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 16 << 20,
  });
  if (status !== 0) throw new Error(`ratios: ${name} ended with code ${status}`);
  return JSON.parse(stdout.toString()) as Table[];
}

async function part(name: string, quick: boolean): Promise<void> {
  const one = PARTS.find((part) => part.name === name) as Part;
  const tables = [await one.run(quick ? QUICK : FULL, await optional(quick))].flat();
  console.log(JSON.stringify(tables));
}

async function main(args: readonly string[]): Promise<number> {
  const quick = args.includes("--quick");
  const own = value(args, "--part");
  if (own !== undefined) return await part(own, quick), 0;
  const only = value(args, "--only") ?? "";
  const tables: Table[] = [];
  for (const { name } of PARTS.filter(({ name }) => name.includes(only))) {
    const made = apart(name, quick);
    for (const table of made) console.log(lines(table).join("\n"));
    tables.push(...made);
  }
  const all = tables.flatMap(rows);
  const count = (wanted: boolean): number => all.filter((row) => reached(row) === wanted).length;
  console.log(`\n${count(true)} goals reached, ${count(false)} missed`);
  const file = value(args, "--json");
  if (file !== undefined) {
    const runtime = runtimeName();
    const version = process.versions[runtime] ?? "";
    writeRecord(file, { suite: "codec", runtime, version, rows: all });
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
