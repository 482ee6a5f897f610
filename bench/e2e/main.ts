/**
 * End to end over loopback TCP, server and client in processes of their own, against the peers:
 * `deno run -A bench/e2e/main.ts`, or `bun bench/e2e/main.ts`.
 *
 *   [--quick]        to see that it runs, and that all that is sent arrives
 *   [--only TEXT]    tables whose id has this in it
 *   [--peers A,B]    these peers only, besides this library
 *   [--json FILE]    a record of the rows
 *
 * Figures are processor time of both processes together. Peers come by `bench/peers/setup.sh`; those that are
 * missing are left out.
 *
 * @module
 */

import { loadavg } from "node:os";
import process from "node:process";
import { runtimeName } from "../../test/runtimes.ts";
import { type PeerName, PEERS } from "../peers/peers.ts";
import { reached, type Row, writeRecord } from "../report/record.ts";
import { type Against, type Table, TABLES } from "./plan.ts";
import { better, type Effort, type Figures, FULL, QUICK, rounds } from "./rounds.ts";

function value(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

/** One table: the peers that are there, in turns. */
async function rows(
  table: Table,
  wanted: readonly string[] | undefined,
  effort: Effort,
): Promise<Row[]> {
  const names = table.against.flatMap(({ best }) => best)
    .filter((name) => wanted === undefined || wanted.includes(name));
  const before = loadavg()[0]!;
  const figures = await rounds(table.job, ["ours", ...names], effort);
  const load = `load ${before.toFixed(1)} to ${loadavg()[0]!.toFixed(1)}`;
  const ours = figures.find(({ peer }) => peer === "ours") as Figures;
  return table.against.flatMap((against) => {
    const best = fastest(figures, against.best);
    return best === undefined ? [] : [row(table, against, ours, best, load)];
  });
}

function fastest(figures: readonly Figures[], names: readonly PeerName[]): Figures | undefined {
  return figures.filter(({ peer }) => names.includes(peer)).toSorted((a, b) => a.cpu - b.cpu)[0];
}

function row(
  { id, work, job }: Table,
  against: Against,
  ours: Figures,
  best: Figures,
  load: string,
): Row {
  const speed = ({ rate }: Figures): string =>
    job.bytes >= 65_536
      ? `${Math.round(rate * job.bytes / 2 ** 20)} MiB/s`
      : `${(rate / 1000).toFixed(rate < 1e5 ? 1 : 0)} k/s`;
  return {
    id: `${id}-${against.id}`,
    work,
    ours: ours.cpu,
    peer: best.cpu,
    against: PEERS[best.peer].title,
    unit: "µs/message",
    ratio: better(ours, best),
    goal: against.goal,
    rounds: ours.costs.length,
    note: `by the clock ${speed(ours)} and ${speed(best)}; ${load}`,
    measures: { cpu: ours.cpu, throughput: ours.rate },
  };
}

function print(row: Row, judge: boolean): void {
  const { id, ours, peer, against, ratio, goal, note } = row;
  const verdict = goal === null || !judge
    ? ""
    : `at least ${goal} ${reached(row) ? "reached" : "MISSED"}`;
  const figures = `${ours.toPrecision(3)} µs, ${peer?.toPrecision(3)} µs ${against}`;
  console.log(`${id.padEnd(20)} ${ratio?.toFixed(2)} x  ${verdict}  (${figures}; ${note})`);
}

async function main(args: readonly string[]): Promise<void> {
  const effort = args.includes("--quick") ? QUICK : FULL;
  const only = value(args, "--only") ?? "";
  const peers = value(args, "--peers")?.split(",");
  const all: Row[] = [];
  for (const table of TABLES.filter(({ id }) => id.includes(only))) {
    const made = await rows(table, peers, effort);
    for (const row of made) print(row, effort === FULL);
    all.push(...made);
  }
  const file = value(args, "--json");
  const runtime = runtimeName();
  const version = process.versions[runtime] ?? "";
  if (file !== undefined) writeRecord(file, { suite: "e2e", runtime, version, rows: all });
  process.exit(0);
}

await main(process.argv.slice(2));
