/**
 * What there is to pay besides time for each frame: memory that stays, and the start.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Decoder } from "../../src/oap/mod.ts";
import { runtimeName } from "../../test/runtimes.ts";
import { type Effort, median } from "./paired.ts";
import type { Table } from "./report.ts";
import { wire } from "./wire.ts";

/** Heap after many frames, against none: views that nobody keeps leave nothing. */
export async function heap(effort: Effort): Promise<Table> {
  const { reads, frames } = wire(64);
  const times = Math.ceil((effort.rounds < 5 ? 50_000 : 1_000_000) / frames);
  const decoder = new Decoder();
  const collect = collector();
  let sum = 0;
  const pass = (): void => {
    for (let i = 0; i < times; i++) {
      for (const read of reads) decoder.push(read).forEach((f) => void (sum = (sum + f.len) | 0));
    }
  };
  pass();
  const grown: number[] = [];
  for (let i = 0; i < 3; i++) {
    await collect();
    const before = process.memoryUsage();
    pass();
    await collect();
    const after = process.memoryUsage();
    grown.push(after.heapUsed + after.external - before.heapUsed - before.external);
  }
  const bytes = median(grown) / (times * frames);
  return {
    title: `heap, ${times * frames} frames of 64 B, after collecting`,
    unit: "bytes/frame",
    timings: [{ name: "batches, fields", ns: bytes, rounds: grown }],
    ratios: [{ id: "bytes a frame", ratio: Math.max(0, bytes), target: 0.05, most: true }],
  };
}

function collector(): () => Promise<void> {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc(sync: boolean): void };
  };
  return async () => {
    for (let i = 0; i < 3; i++) {
      if (Bun !== undefined) Bun.gc(true);
      else gc?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
}

/** Milliseconds from before the import to the first instance, each time in a process of its own. */
export function start({ rounds }: Effort): Table {
  const code = fileURLToPath(new URL("./start.ts", import.meta.url));
  const flags = runtimeName() === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const runs = Array.from({ length: Math.max(rounds, 3) }, () => {
    const { stdout } = spawnSync(process.execPath, [...flags, code]);
    return JSON.parse(stdout.toString()) as { importMs: number; instanceMs: number };
  });
  const of = (name: string, list: number[]): { name: string; ns: number; rounds: number[] } => ({
    name,
    ns: median(list),
    rounds: list,
  });
  const instance = of("first instance", runs.map((run) => run.instanceMs));
  return {
    title: "start, a fresh process",
    unit: "ms",
    timings: [of("import of ./oap", runs.map((run) => run.importMs)), instance],
    ratios: [{ id: "first instance, in 3 ms", ratio: instance.ns / 3, target: 1, most: true }],
  };
}
