/**
 * A server under a steady load over TLS: `deno run -A bench/load/main.ts`, or `bun bench/load/main.ts`.
 *
 *   [--quick]        to see that it runs
 *   [--json FILE]    the figures as a record; those of Deno are fields of the baseline
 *
 * The load is a tenth of what a rig of 8 cores takes (200 connections, 15 000 requests of 4096 B each second):
 * 20 connections, 1 500 each second. Client and server are processes of their own.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { ROOT, runtimeName } from "../../test/runtimes.ts";
import { median } from "../codec/paired.ts";
import { type Row, writeRecord } from "../report/record.ts";
import { drive, type Load, stream, type Target, withLinks } from "./drive.ts";

const PATIENCE = 120_000;
const FULL: Load = { connections: 20, rate: 1_500, bytes: 4_096, ms: 5_000 };
const QUICK: Load = { connections: 2, rate: 50, bytes: 4_096, ms: 300 };

interface Used {
  readonly cpuMs: number;
  readonly rss: number;
}

/** The server; `used` asks what it has used so far. */
async function server(): Promise<{ target: Target; used: () => Promise<Used>; stop: () => void }> {
  const flags = runtimeName() === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const child = spawn(process.execPath, [...flags, join(ROOT, "bench/load/serve.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: PATIENCE,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error("load: the server ended without an answer");
    return JSON.parse(value);
  };
  return {
    target: await next() as Target,
    used: () => (child.stdin.write("\n"), next() as Promise<Used>),
    stop: () => child.kill(),
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function alone(id: string, work: string, ours: number, unit: string, rounds: number): Row {
  return { id, work, ours, peer: null, against: "", unit, ratio: null, goal: null, rounds };
}

async function measure(load: Load, mib: number, rounds: number): Promise<Row[]> {
  const { target, used, stop } = await server();
  try {
    const found: { p95: number; p99: number; cpu: number; rss: number }[] = [];
    await withLinks(target, load.connections, async (links) => {
      await drive(links, { ...load, ms: load.ms / 5 }); // engines warm up
      for (let i = 0; i < rounds; i++) {
        const [before, start] = [await used(), performance.now()];
        const { latencies, failed } = await drive(links, load);
        if (failed > 0) throw new Error(`load: ${failed} requests failed`);
        const [after, ms] = [await used(), performance.now() - start];
        const cpu = (100 * (after.cpuMs - before.cpuMs)) / ms;
        found.push({ p95: at(latencies, 0.95), p99: at(latencies, 0.99), cpu, rss: after.rss });
      }
    });
    const gbps: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const ms = await withLinks(target, 1, ([link]) => stream(link!, mib));
      gbps.push((mib * 2 ** 20 * 8) / ms / 1e6);
    }
    const of = (name: "p95" | "p99" | "cpu" | "rss"): number =>
      median(found.map((one) => one[name]));
    const [p95, p99, cpu, rss] = [of("p95"), of("p99"), of("cpu"), of("rss")];
    const gib = rss / 2 ** 30;
    const speed = median(gbps);
    const shape =
      `TLS, ${load.connections} connections, ${load.rate} requests of ${load.bytes} B each second`;
    return [
      { ...alone("tls_small", `${shape}: p95`, p95, "ms", rounds), measures: { p95, p99 } },
      alone("tls_small_p99", `${shape}: p99`, p99, "ms", rounds),
      {
        ...alone("cpu_at_target", `${shape}: processor of the server`, cpu, "% of a core", rounds),
        measures: { cpu },
      },
      {
        ...alone("memory_at_target", `${shape}: memory of the server`, gib, "GiB", rounds),
        measures: { memory: rss },
      },
      {
        ...alone("tls_stream_64k", "TLS, one stream in chunks of 64 KiB", speed, "Gb/s", rounds),
        measures: { throughput: speed },
      },
    ];
  } finally {
    stop();
  }
}

async function main(args: readonly string[]): Promise<void> {
  const file = args.includes("--json") ? args[args.indexOf("--json") + 1] : undefined;
  const rows = args.includes("--quick") ? await measure(QUICK, 4, 1) : await measure(FULL, 128, 3);
  for (const { work, ours, unit } of rows) {
    console.log(`${work.padEnd(84)}${ours.toFixed(3)} ${unit}`);
  }
  const runtime = runtimeName();
  const version = process.versions[runtime] ?? "";
  if (file !== undefined) writeRecord(file, { suite: "load", runtime, version, rows });
}

await main(process.argv.slice(2));
