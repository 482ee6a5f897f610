/**
 * What a process holds, after garbage is collected.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** Bytes, and open descriptors. */
export interface Held {
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
  readonly descriptors: number;
}

interface Collectors {
  readonly gc?: () => void;
  readonly Bun?: { gc(force: boolean): void };
}

function collect(): void {
  const { gc, Bun } = globalThis as Collectors;
  if (Bun !== undefined) Bun.gc(true);
  else if (gc !== undefined) gc();
  else throw new Error("memory is measured after a collection: start with --expose-gc");
}

/** Collects garbage until it is gone, finalizers and closed sockets included, and measures. */
export async function measure(): Promise<Held> {
  for (let i = 0; i < 4; i++) {
    collect();
    await delay(20);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, rss, descriptors: readdirSync("/proc/self/fd").length - 1 };
}
