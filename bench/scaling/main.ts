/**
 * How costs grow: over connections, idle and active, frame sizes and requests in flight; and what an idle
 * connection holds: `deno run -A bench/scaling/main.ts`, or `bun bench/scaling/main.ts`.
 *
 *   [--quick]        small, to see that it runs
 *   [--only TEXT]    tables whose id has this in it
 *   [--json FILE]    a record of the rows
 *
 * Costs are processor time of server and client, processes of their own, beside the runtime's raw socket with
 * a length prefix where that can do the same.
 *
 * @module
 */

import process from "node:process";
import { runtimeName } from "../../test/runtimes.ts";
import { FULL, QUICK } from "../e2e/rounds.ts";
import { type Row, writeRecord } from "../report/record.ts";
import { growth, TABLES } from "./growth.ts";
import { memory } from "./memory.ts";

function value(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

function print({ id, ours, peer, unit, ratio, goal, note }: Row): void {
  const other = peer === null ? "" : `, ${peer.toPrecision(3)}`;
  const better = ratio === null ? "" : `  ${ratio.toFixed(2)} x`;
  const wanted = goal === null ? "" : `, at least ${goal}`;
  console.log(
    `${id.padEnd(26)} ${ours.toPrecision(3)}${other} ${unit}${better}${wanted}  ${note ?? ""}`,
  );
}

async function main(args: readonly string[]): Promise<void> {
  const quick = args.includes("--quick");
  const only = value(args, "--only") ?? "";
  const effort = quick ? QUICK : { ...FULL, rounds: 7, ms: 150, learn: 600 };
  const all: Row[] = [];
  const add = (rows: readonly Row[]): void => {
    rows.forEach(print);
    all.push(...rows);
  };
  for (const table of TABLES.filter(({ id }) => id.includes(only))) {
    add(await growth(table, effort, quick));
  }
  if ("memory".includes(only)) add(await memory(quick));
  const file = value(args, "--json");
  const runtime = runtimeName();
  const version = process.versions[runtime] ?? "";
  if (file !== undefined) writeRecord(file, { suite: "scaling", runtime, version, rows: all });
  process.exit(0);
}

await main(process.argv.slice(2));
