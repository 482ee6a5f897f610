/**
 * `deno task bench` and `bun run bench`: the codec's benchmarks, then throughput over loopback.
 *
 *   [--quick]      a few rounds each, to see that everything runs
 *   [--no-loopback | --only-loopback]
 *   [--mib N]      how much goes over loopback for each case
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Measured, runRegistered } from "../bench/harness.ts";
import { ROOT, runtimeName } from "../test/runtimes.ts";
import { run } from "./lib/process.ts";

const FLAGS: readonly string[] = ["--quick", "--no-loopback", "--only-loopback", "--mib"];

function print({ id, average, p50, p95, bytes, units }: Measured): void {
  const micro = (ns: number): string => (ns / 1000).toFixed(2).padStart(10);
  const rate = units === undefined ? "" : `${((units / average) * 1e9).toExponential(2)} units/s  `;
  const speed = bytes === undefined
    ? ""
    : `${Math.round((bytes / average) * 1e9 / 1024 / 1024)} MiB/s`;
  console.log(
    `${id.padEnd(32)}${micro(average)} µs  p50${micro(p50)}  p95${micro(p95)}  ${rate}${speed}`,
  );
}

async function codec(quick: boolean): Promise<number> {
  const env = { RON_BENCH_QUICK: quick ? "1" : "0" };
  if (runtimeName() === "deno") {
    const args = ["bench", "--no-check", "--allow-read", "--allow-env", "bench/"];
    return (await run(process.execPath, args, { env, show: true })).code;
  }
  process.env["RON_BENCH_QUICK"] = env.RON_BENCH_QUICK;
  for (const name of readdirSync(join(ROOT, "bench")).sort()) {
    if (name.endsWith("_bench.ts")) await import(join(ROOT, "bench", name));
  }
  runRegistered(print);
  return 0;
}

async function loopback(mib: string): Promise<number> {
  const deno = ["run", "--no-check", "--allow-read", "--allow-env", "--allow-run", "--allow-sys"];
  const flags = runtimeName() === "deno" ? deno : [];
  const args = [...flags, "bench/loopback.ts", "--mib", mib];
  return (await run(process.execPath, args, { show: true })).code;
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith("--") && !FLAGS.includes(arg) && arg !== "--");
  if (unknown !== undefined) {
    console.error(`bench: unknown option ${unknown}; options are ${FLAGS.join(", ")}`);
    return 2;
  }
  const quick = args.includes("--quick");
  const at = args.indexOf("--mib");
  const mib = at === -1 ? (quick ? "16" : "512") : args[at + 1] ?? "";
  let code = 0;
  if (!args.includes("--only-loopback")) code = await codec(quick);
  if (code === 0 && !args.includes("--no-loopback")) code = await loopback(mib);
  return code === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
