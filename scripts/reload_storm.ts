/**
 * `deno task storm:reload`: the full reload storm, and its table for `docs/RESILIENCE.md`.
 *
 * @module
 */

import process from "node:process";
import { runStorm, type StormRow } from "../test/config/storm.ts";
import { runtimeName } from "../test/runtimes.ts";

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at === -1 ? otherwise : Number(process.argv[at + 1]);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`storm: --${name} must be a whole number above 0`);
  process.exit(2);
}

function rows(table: Readonly<Record<string, StormRow>>, what: string): string[] {
  return Object.entries(table).sort().map(([name, { offered, held }]) => {
    return `| ${what}: ${name} | ${offered} | ${held} |`;
  });
}

const report = await runStorm({
  reloads: option("reloads", 1_000),
  connections: option("connections", 200),
  seed: option("seed", 7),
  onProgress: (done) => console.error(`${done} reloads`),
});
const { broken, probes, notes, ...figures } = report;
const all = [...Object.values(broken), ...Object.values(probes)];
const held = all.every((row) => row.held === row.offered) && figures.lost === 0 &&
  figures.closed === 0 && figures.wrongEvents === 0 && figures.notKept === 0;
console.log([
  `${runtimeName()}: ${JSON.stringify(figures)}`,
  "",
  "| offered | times | as it must |",
  "| ------- | ----- | ---------- |",
  ...rows(broken, "broken"),
  ...rows(probes, "applied, and seen to bite"),
  ...notes.map((note) => `note: ${note}`),
  "",
  held ? "held" : "NOT HELD",
].join("\n"));
process.exitCode = held ? 0 : 1;
