/**
 * All `*_bench.ts` of this folder: `deno run -A bench/micro.ts`, which runs them under `deno bench`, or
 * `bun bench/micro.ts`, which runs them by the loop of `harness.ts`.
 *
 *   [--quick]      a few calls each, to see that they run
 *   [--json FILE]  the figures as a record
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { ROOT, runtimeName } from "../test/runtimes.ts";
import { type BenchCase, measure, type Measured, registered } from "./harness.ts";
import { reached, type Row, writeRecord } from "./report/record.ts";

const FOLDER = join(ROOT, "bench");

/** What `deno bench --json` prints, as far as it is read. */
interface DenoReport {
  readonly benches: readonly {
    readonly name: string;
    readonly results: readonly {
      readonly ok?: { readonly avg: number; readonly p99: number; readonly n: number };
    }[];
  }[];
}

function underDeno(where: string): Map<string, Measured> {
  const { status, stdout } = spawnSync(
    process.execPath,
    ["bench", "--quiet", "--no-check", "--allow-all", "--json", where],
    { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 16 << 20 },
  );
  if (status !== 0) throw new Error(`micro: deno bench ended with code ${status}`);
  const { benches } = JSON.parse(stdout.toString()) as DenoReport;
  const found = new Map<string, Measured>();
  for (const { name, results } of benches) {
    const ok = results[0]?.ok;
    if (ok === undefined) throw new Error(`micro: ${name} failed under deno bench`);
    found.set(name, { average: ok.avg, p99: ok.p99, samples: ok.n });
  }
  return found;
}

/** `deno bench` takes most of a second for each case, whatever it is told: for a smoke, one file and our loop. */
async function smokeUnderDeno(): Promise<Map<string, Measured>> {
  return new Map([...await byLoop(true), ...underDeno(join(FOLDER, "chunk_bench.ts"))]);
}

async function byLoop(quick: boolean): Promise<Map<string, Measured>> {
  const found = new Map<string, Measured>();
  for (const one of registered()) found.set(one.id, await measure(one, quick));
  return found;
}

function row(one: BenchCase, own: Measured, baseline: Measured | undefined, name: string): Row {
  const { id, group, goal = null, bytes, units } = one;
  const perSecond = 1e9 / own.average;
  const peer = baseline?.average ?? null;
  const p95 = own.p95 === undefined ? {} : { p95: own.p95 / 1e6 };
  const speed = bytes === undefined ? "" : `${Math.round(bytes * perSecond / 2 ** 20)} MiB/s`;
  const rate = units === undefined ? "" : `${(units * perSecond).toPrecision(3)} units/s`;
  const note = [speed, rate].filter((text) => text !== "").join(", ");
  return {
    id,
    work: id === group ? id : `${group}: ${id}`,
    ours: own.average,
    peer,
    against: peer === null ? "" : name,
    unit: "ns/call",
    ratio: peer === null ? null : peer / own.average,
    goal: peer === null ? null : goal,
    rounds: own.samples,
    ...(note === "" ? {} : { note }),
    measures: { ...p95, p99: own.p99 / 1e6, throughput: (units ?? 1) * perSecond },
  };
}

function rows(measured: ReadonlyMap<string, Measured>): Row[] {
  const of = (id: string): Measured => {
    const found = measured.get(id);
    if (found === undefined) throw new Error(`micro: ${id} was registered and not measured`);
    return found;
  };
  return registered().filter(({ baseline }) => baseline !== true).map((one) => {
    const other = registered().find(({ group, baseline }) =>
      baseline === true && group === one.group
    );
    return row(
      one,
      of(one.id),
      other && of(other.id),
      other?.id.slice(other.group.length + 1) ?? "",
    );
  });
}

function print({ id, ours, ratio, against, goal, note }: Row, ok: boolean | undefined): void {
  const verdict = ok === undefined ? "" : `, at least ${goal}: ${ok ? "reached" : "MISSED"}`;
  const compared = ratio === null ? "" : `  ${ratio.toFixed(2)} x ${against}${verdict}`;
  console.log(
    `${id.padEnd(34)}${(ours / 1000).toFixed(2).padStart(10)} µs  ${note ?? ""}${compared}`,
  );
}

function figures(
  deno: boolean,
  quick: boolean,
): Promise<Map<string, Measured>> | Map<string, Measured> {
  if (!deno) return byLoop(quick);
  return quick ? smokeUnderDeno() : underDeno(FOLDER);
}

async function main(args: readonly string[]): Promise<void> {
  const quick = args.includes("--quick");
  const at = args.indexOf("--json");
  const file = at < 0 ? undefined : args[at + 1];
  const runtime = runtimeName();
  for (const name of readdirSync(FOLDER).sort()) {
    if (name.endsWith("_bench.ts")) await import(pathToFileURL(join(FOLDER, name)).href);
  }
  const made = rows(await figures(runtime === "deno", quick));
  for (const one of made) print(one, reached(one));
  if (file !== undefined) {
    const version = process.versions[runtime] ?? "";
    writeRecord(file, { suite: "micro", runtime, version, rows: made });
  }
  process.exit(); // servers of the cases still listen
}

await main(process.argv.slice(2));
