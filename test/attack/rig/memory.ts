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
  readonly gc?: (options?: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;
  readonly Bun?: { gc(force: boolean): void };
  readonly Deno?: {
    readonly build: { readonly os: string; readonly env?: string };
    dlopen(path: string, symbols: typeof TRIM): {
      readonly symbols: { malloc_trim(pad: bigint): number };
      close(): void;
    };
  };
}

const TRIM = { malloc_trim: { parameters: ["usize"], result: "i32" } } as const;

function collect(): void {
  const { gc, Bun } = globalThis as unknown as Collectors;
  if (Bun !== undefined) Bun.gc(true);
  else if (gc !== undefined) gc();
  else throw new Error("memory is measured after a collection: start with --expose-gc");
}

/**
 * Has the pages given back that are empty. V8 keeps those of its young generation otherwise, 60 MiB and
 * more after a flood, until the system runs short; and glibc, from which Deno has its buffers, keeps
 * those between blocks that are in use. They would count as resident.
 */
function giveBack(): void {
  const { gc, Deno } = globalThis as unknown as Collectors;
  gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  if (Deno === undefined || Deno.build.os !== "linux" || Deno.build.env !== "gnu") return;
  const libc = Deno.dlopen("libc.so.6", TRIM);
  libc.symbols.malloc_trim(0n);
  libc.close();
}

/** mimalloc, from which Bun has its buffers, gives back by itself what has been free for a while. */
const purgeMs = "Bun" in globalThis ? 1_000 : 20;

/** Collects garbage until it is gone, finalizers and closed sockets included, and measures. */
export async function measure(): Promise<Held> {
  for (let i = 0; i < 4; i++) {
    if (i === 1) giveBack();
    collect();
    await delay(i === 3 ? purgeMs : 20);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, rss, descriptors: readdirSync("/proc/self/fd").length - 1 };
}
