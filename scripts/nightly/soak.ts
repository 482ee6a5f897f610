/**
 * Soak: a server under a mixed load for a long time, and the slope of what it holds.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Child } from "../../test/attack/rig/child.ts";
import { findRuntime, type RuntimeName } from "../../test/runtimes.ts";
import type { SoakLoad, SoakReport } from "../../test/soak/load.ts";
import type { SoakSample, SoakTarget } from "../../test/soak/server.ts";
import { type Line, lineThrough } from "./slope.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

const MIB = 1_048_576;
/** Growth per hour that a long soak may show, and the share and bytes that a short one may grow. */
const BOUNDS = { mibPerHour: 1, share: 0.05, bytes: 8 * MIB };
/** Failed requests that are too many. */
const MOST_FAILED = 0.001;
/** From how many seconds after the warm-up a slope by the hour means anything. */
const HOUR_COUNTS = 1_800;
/** The part of a soak in which engines and pools warm up. */
const WARM_UP = 1 / 3;

type Load = Omit<SoakLoad, "target">;
const LOAD: Load = { connections: 10, rate: 100, streams: 2, dials: 5, silent: 20 };

/** The stage. */
export const soak: Stage = {
  name: "soak",
  about:
    "TCP and TLS listeners under a mixed load from another process: slope of memory and descriptors",
  share: 0.4,
  run: soakAll,
};

async function soakAll(context: StageContext): Promise<Found> {
  const runtimes = (["deno", "bun", "node"] as const).filter((one) => findRuntime(one));
  const faults: string[] = [];
  const figures: Record<string, string | number> = {};
  const files: string[] = [];
  for (const runtime of runtimes) {
    const run = await soakOne(runtime, context.seconds / runtimes.length);
    const file = `soak-${runtime}.json`;
    writeFileSync(join(context.folder, file), `${JSON.stringify(run, undefined, 1)}\n`);
    files.push(file);
    const verdict = judgeSoak(run);
    figures[runtime] = verdict.figures;
    faults.push(...verdict.faults.map((fault) => `${runtime}: ${fault}`));
  }
  return { figures, faults, files };
}

/** What a soak gave. */
export interface SoakRun {
  readonly samples: readonly {
    /** Since the load began. */
    readonly seconds: number;
    readonly heap: number;
    readonly external: number;
    readonly rss: number;
    readonly descriptors: number;
    readonly inflight: number;
  }[];
  /** Descriptors before the load and after it. */
  readonly descriptors: { readonly before: number; readonly after: number };
  readonly ok: number;
  readonly failed: number;
  readonly nonsense: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly p99: number;
  readonly uncaught: readonly string[];
}

async function soakOne(runtime: RuntimeName, seconds: number): Promise<SoakRun> {
  await using server = new Child(runtime, "test/soak/server");
  // another runtime than the server's, so that each soaks against both of the others in time
  const other = findRuntime("node") !== undefined && runtime !== "node" ? "node" : "deno";
  await using load = new Child(other, "test/soak/load");
  const target = await server.tell<SoakTarget>("start");
  const before = await server.tell<SoakSample>("sample");
  await load.tell("start", { ...LOAD, target } satisfies SoakLoad);
  const start = performance.now();
  const every = Math.min(60, Math.max(1, seconds / 60)) * 1_000;
  const samples: SoakRun["samples"][number][] = [];
  const sum = { ok: 0, failed: 0, nonsense: 0, p99: 0 };
  const failures: Record<string, number> = {};
  const uncaught: string[] = [];
  const note = (report: SoakReport): void => {
    for (const name of ["ok", "failed", "nonsense"] as const) sum[name] += report[name];
    sum.p99 = Math.max(sum.p99, report.p99);
    for (const [kind, n] of Object.entries(report.failures)) {
      failures[kind] = (failures[kind] ?? 0) + n;
    }
  };
  while (performance.now() - start < seconds * 1_000) {
    await delay(every);
    const { memory: { heap, external, rss, descriptors }, counters } = await server.tell<
      SoakSample
    >(
      "sample",
    );
    const at = (performance.now() - start) / 1_000;
    const inflight = counters.inflight;
    samples.push({ seconds: at, heap, external, rss, descriptors, inflight });
    note(await load.tell<SoakReport>("report"));
  }
  await load.tell("stop");
  const last = await load.tell<SoakReport>("report");
  note(last);
  let after = await server.tell<SoakSample>("sample");
  for (let i = 0; i < 50 && after.memory.descriptors > before.memory.descriptors; i++) {
    await delay(100);
    after = await server.tell<SoakSample>("sample");
  }
  uncaught.push(...last.uncaught, ...after.uncaught);
  const descriptors = { before: before.memory.descriptors, after: after.memory.descriptors };
  return { samples, descriptors, ...sum, failures, uncaught };
}

/** What of a soak does not hold, and its figures in a line. */
export function judgeSoak(run: SoakRun): { figures: string; faults: string[] } {
  const { samples, descriptors, ok, failed, failures } = run;
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const held = (name: "heap" | "external" | "rss" | "descriptors"): Line =>
    lineThrough(warm.map((one): [number, number] => [one.seconds, one[name]]));
  const [heap, rss, fds] = [held("heap"), held("rss"), held("descriptors")];
  const faults: string[] = [];
  const lasted = (warm.at(-1)?.seconds ?? 0) - (warm[0]?.seconds ?? 0);
  for (const [name, line] of [["heap", heap], ["resident memory", rss]] as const) {
    const perHour = (line.slope * 3_600) / MIB;
    const grew = line.slope * lasted;
    if (lasted >= HOUR_COUNTS && perHour > BOUNDS.mibPerHour) {
      faults.push(
        `${name} grows by ${perHour.toFixed(2)} MiB an hour, at most ${BOUNDS.mibPerHour}`,
      );
    } else if (grew > BOUNDS.share * line.mean + BOUNDS.bytes) {
      faults.push(
        `${name} grew by ${mib(grew)} over ${lasted.toFixed(0)} s, from ${mib(line.mean)}`,
      );
    }
  }
  if (descriptors.after > descriptors.before) {
    faults.push(`${descriptors.after} descriptors after the load, ${descriptors.before} before it`);
  }
  if (ok === 0 || failed > MOST_FAILED * (ok + failed)) {
    const kinds = Object.entries(failures).map(([kind, n]) => `${kind} ${n}`).join(", ");
    faults.push(`${failed} of ${ok + failed} requests failed: ${kinds || "none was answered"}`);
  }
  for (const text of run.uncaught) faults.push(`uncaught: ${text.split("\n", 1)[0]}`);
  const figures = [
    `${ok} requests, ${failed} failed, p99 ${run.p99.toFixed(0)} ms`,
    `heap ${mib(heap.mean)} ${perHour(heap)}`,
    `resident ${mib(rss.mean)} ${perHour(rss)}`,
    `descriptors ${
      (fds.slope * 3_600).toFixed(1)
    }/h, ${descriptors.before} before, ${descriptors.after} after`,
    `${samples.length} samples over ${(samples.at(-1)?.seconds ?? 0).toFixed(0)} s`,
  ];
  return { figures: figures.join("; "), faults };
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function perHour({ slope }: Line): string {
  const rate = (slope * 3_600) / MIB;
  return `${rate >= 0 ? "+" : ""}${rate.toFixed(1)} MiB/h`;
}
