/**
 * What there is to pay besides time for each frame: memory that stays.
 *
 * @module
 */

import process from "node:process";
import { framed } from "../../src/oap/mod.ts";
import { connection } from "./connection.ts";
import { type Effort, median } from "./paired.ts";
import { type Table, within } from "./report.ts";
import { wire } from "./wire.ts";

/** Heap after many frames of a `batches()` loop, against none: views that nobody keeps leave nothing. */
export async function heap(effort: Effort): Promise<Table> {
  const { reads, frames } = wire(64);
  const times = Math.ceil((effort.rounds < 5 ? 50_000 : 1_000_000) / frames);
  const { attachable, receive } = connection();
  const batches = framed(attachable).batches()[Symbol.asyncIterator]();
  const collect = collector();
  let sum = 0;
  const look = (f: { readonly len: number }): void => void (sum = (sum + f.len) | 0);
  let bytes = 0;
  let seen = 0;
  const pass = async (): Promise<void> => {
    for (let i = 0; i < times; i++) {
      for (const read of reads) {
        receive(read);
        bytes += read.length;
        // takes all that came: nothing may pile up
        for (const whole = Math.floor(bytes / (38 + 64)); seen < whole;) {
          const { value } = await batches.next();
          seen += value.length;
          value.forEach(look);
        }
      }
    }
  };
  await pass();
  const grown: number[] = [];
  for (let i = 0; i < 3; i++) {
    await collect();
    const before = process.memoryUsage();
    await pass();
    await collect();
    const after = process.memoryUsage();
    grown.push(after.heapUsed + after.external - before.heapUsed - before.external);
  }
  const perFrame = grown.map((bytes) => Math.max(0, bytes) / (times * frames));
  const name = "batches(), fields";
  const timing = { name, ns: median(perFrame), rounds: perFrame };
  return {
    id: "heap_64",
    title: `heap after ${times * frames} frames of 64 B, collected`,
    unit: "bytes/frame",
    timings: [timing],
    ratios: [within(timing, 0.05, "0.05 bytes a frame")],
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
