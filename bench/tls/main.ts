/**
 * TLS: what handshakes and bulk cost, over this library and over the runtime's own ways, in turns.
 *
 *   [--quick]        to see that it runs
 *   [--only=PREFIX]  only works whose id begins so
 *   [--json FILE]    the figures as a record
 *
 * The other end is a process of its own (`far.ts`). Bulk is judged by this process's processor time,
 * handshakes by the median of rounds' percentiles of wall time, with the load of the machine in it.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { findRuntime, ROOT, runtimeName } from "../../test/runtimes.ts";
import { median } from "../codec/paired.ts";
import { reached, type Row, writeRecord } from "../report/record.ts";
import type { Order } from "./far.ts";
import { byHand } from "./by_hand.ts";
import { bunNative, denoNative } from "./native.ts";
import { nodeTls } from "./plain.ts";
import { LARGE_BLOCK, type Sending, SMALL_BLOCK, type Way } from "./roles.ts";
import { ours } from "./this_library.ts";

interface Far {
  readonly port: number;
  /** One that greets with bulk. */
  readonly source: number;
  readonly cert: string;
  order(order: Order): Promise<number[]>;
  end(): void;
}

async function startFar(): Promise<Far> {
  const bun = findRuntime("bun");
  if (bun === undefined) throw new Error("the TLS benchmark wants Bun for its other end");
  const child = spawn(bun, [join(ROOT, "bench/tls/far.ts"), String(BYTES)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the other end of the TLS benchmark has ended");
    return JSON.parse(value) as Record<string, unknown>;
  };
  const { port, source, cert } = await next() as { port: number; source: number; cert: string };
  return {
    port,
    source,
    cert,
    async order(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return (await next())["times"] as number[];
    },
    end: () => void child.stdin.end(),
  };
}

function percentile(times: readonly number[], p: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? NaN;
}

/** Seconds of this process's processor, per GiB. */
async function cpuPerGib(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / (bytes / 2 ** 30);
}

/** All ways of this runtime, ours first. */
function waysOf(): readonly Way[] {
  const native = runtimeName() === "deno" ? denoNative : bunNative;
  return [ours(), byHand(), nodeTls(), native()];
}

/** The kinds of work, each done by one way and giving samples. */
interface Work {
  readonly id: string;
  readonly work: string;
  readonly unit: string;
  readonly rounds: number;
  /** Done before all rounds; where it is missing, a round that does not count. */
  readonly warmUp?: (way: Way) => Promise<unknown>;
  readonly sample: (way: Way) => Promise<readonly number[]>;
}

const quick = process.argv.includes("--quick");
const at = process.argv.indexOf("--json");
const file = at < 0 ? undefined : process.argv[at + 1];
const ROUNDS = quick ? 1 : 5;
const SHAKES = quick ? 5 : 60;
const BYTES = (quick ? 4 : 256) * 2 ** 20;
const BULK_ROUNDS = quick ? 1 : 25;
// Of each, in smaller writes: what is compared is how bulk goes on, and engines compile by the number of calls.
const WARM_UP_BYTES = (quick ? 4 : 2_048) * 2 ** 20;

const far = await startFar();
const pair = await throwAwayCertificate();
const ways = waysOf();
const ports = new Map<Way, { readonly sink: number; readonly source: number }>();
for (const way of ways) {
  ports.set(way, { sink: await way.serve(pair, 1), source: await way.serve(pair, BYTES) });
}
const near = (way: Way): { port: number; cert: string } => ({
  port: ports.get(way)!.sink,
  cert: pair.cert,
});
const WARM_UP: Sending = { bytes: WARM_UP_BYTES, write: SMALL_BLOCK, greeting: 1 };
const SEND: Sending = { bytes: BYTES, write: LARGE_BLOCK, greeting: 1 };
const TAKE: Sending = { bytes: 0, write: 1, greeting: BYTES };
/** Bulk: `once` moves {@linkcode BYTES}. */
const bulk = (
  id: string,
  work: string,
  warmUp: (way: Way) => Promise<unknown>,
  once: (way: Way) => Promise<unknown>,
): Work => ({
  id,
  work,
  unit: "CPU s per GiB",
  rounds: BULK_ROUNDS,
  warmUp,
  sample: async (way) => [await cpuPerGib(BYTES, () => once(way))],
});
/** The same, where only that much can be had at a time. */
const fixed = (id: string, work: string, once: (way: Way) => Promise<unknown>): Work =>
  bulk(id, work, async (way) => {
    for (let bytes = 0; bytes < WARM_UP_BYTES; bytes += BYTES) await once(way);
  }, once);
const farSends = (way: Way, sending: Sending): Promise<unknown> =>
  far.order({ do: "send", ...near(way), ...sending });
const nearSends = (way: Way, sending: Sending): Promise<unknown> =>
  way.send(far.port, far.cert, sending);

const WORKS: readonly Work[] = [
  bulk(
    "bulk_in",
    "bulk received by a server",
    (way) => farSends(way, WARM_UP),
    (way) => farSends(way, SEND),
  ),
  fixed(
    "bulk_in_client",
    "bulk received by a client",
    (way) => way.send(far.source, far.cert, TAKE),
  ),
  fixed(
    "bulk_out_server",
    "bulk sent by a server",
    (way) => far.order({ do: "send", ...near(way), port: ports.get(way)!.source, ...TAKE }),
  ),
  bulk(
    "bulk_out",
    "bulk sent by a client",
    (way) => nearSends(way, WARM_UP),
    (way) => nearSends(way, SEND),
  ),
  {
    id: "server_full",
    work: "full handshake, as server",
    unit: "ms",
    rounds: ROUNDS,
    sample: (way) => far.order({ do: "handshakes", ...near(way), n: SHAKES }),
  },
  {
    id: "server_resumed",
    work: "resumed handshake, as server",
    unit: "ms",
    rounds: ROUNDS,
    sample: (way) => far.order({ do: "resume", ...near(way), n: SHAKES }),
  },
  {
    id: "client_full",
    work: "full handshake, as client of a server that prefers hybrid",
    unit: "ms",
    rounds: ROUNDS,
    async sample(way) {
      const times: number[] = [];
      for (let i = 0; i < SHAKES; i++) times.push(await way.handshake(far.port, far.cert));
      return times;
    },
  },
  {
    id: "client_resumed",
    work: "resumed handshake, as client of a server that prefers hybrid",
    unit: "ms",
    rounds: ROUNDS,
    sample: (way) => way.resumed?.(far.port, far.cert, SHAKES) ?? Promise.resolve([]),
  },
];

const rows: Row[] = [];
const only = process.argv.find((arg) => arg.startsWith("--only="))?.slice(7);
for (const { id, work, unit, rounds: count, warmUp, sample } of WORKS) {
  if (only !== undefined && !id.startsWith(only)) continue;
  const rounds = new Map<Way, (readonly number[])[]>(ways.map((way) => [way, []]));
  for (const way of ways) await (warmUp ?? sample)(way);
  for (let round = 0; round < count; round++) {
    for (let k = 0; k < ways.length; k++) {
      const way = ways[(k + round) % ways.length]!;
      rounds.get(way)!.push(await sample(way));
    }
  }
  const figure = (way: Way, p: number): number =>
    median(rounds.get(way)!.map((samples) => percentile(samples, p)));
  const [own, ...others] = ways as [Way, ...Way[]];
  const points = unit === "ms" ? [50, 95, 99] : [50];
  for (const other of others) {
    for (const p of points) {
      const [mine, theirs] = [figure(own, p), figure(other, p)];
      if (!Number.isFinite(mine) || !Number.isFinite(theirs)) continue;
      rows.push({
        id: `${id}${unit === "ms" ? `.p${p}` : ""}.${
          other.name.toLowerCase().replace(/\W+/g, "_")
        }`,
        work: unit === "ms" ? `${work}, p${p}` : work,
        ours: mine,
        peer: theirs,
        against: other.name,
        unit,
        ratio: theirs / mine,
        goal: unit === "ms" || other.lacks !== undefined ? null : 0.9,
        rounds: count,
        ...(unit === "ms" || other.lacks === undefined ? {} : { note: other.lacks }),
        ...(unit === "ms" || other.name !== "node:tls" ? {} : { measures: { cpu: mine } }),
      });
    }
  }
}

// 50 handshakes a second, each when it is due, beside bulk that comes in as fast as it can.
if (only === undefined || "beside_bulk".startsWith(only)) {
  const seconds = quick ? 1 : 10;
  const second = await startFar();
  const beside = async (way: Way): Promise<number[]> => {
    let busy = true;
    const bulk = (async () => {
      while (busy) {
        await second.order({ do: "send", ...near(way), ...SEND, bytes: 16 * 2 ** 20 });
      }
    })();
    const times = await far.order({ do: "paced", ...near(way), n: 50 * seconds, everyMs: 20 });
    busy = false;
    await bulk;
    return times;
  };
  const [own, , other] = ways as [Way, Way, Way];
  const theirs = await beside(other);
  const times = await beside(own);
  second.end();
  for (const [p, bound] of [[95, 80], [99, 150]] as const) {
    const ours = percentile(times, p);
    const peer = percentile(theirs, p);
    const work = `50 handshakes a second beside bulk, as server, p${p}`;
    const common = { work, ours, unit: "ms", rounds: 1 };
    rows.push({
      ...common,
      id: `beside_bulk.p${p}`,
      peer: bound,
      against: "bound",
      ratio: bound / ours,
      goal: 1,
      measures: p === 95 ? { p95: ours } : { p99: ours },
    }, {
      ...common,
      id: `beside_bulk.p${p}.node_tls`,
      peer,
      against: other.name,
      ratio: peer / ours,
      goal: null,
    });
  }
}

// Deno's client needs another round for a hybrid server; with Nagle's delay that took 47 ms.
if (runtimeName() === "deno" && only === undefined) {
  const times: number[] = [];
  for (let i = 0; i < SHAKES; i++) times.push(await ways[0]!.handshake(far.port, far.cert));
  const ours = percentile(times, 50);
  rows.push({
    id: "hybrid_server_stall",
    work: "full handshake with a server that prefers hybrid, p50",
    ours,
    peer: 40,
    against: "a delayed ACK",
    unit: "ms",
    ratio: 40 / ours,
    goal: 1,
    rounds: 1,
  });
}

far.end();
for (const row of rows) {
  const { work, against, ours, peer, unit, ratio } = row;
  const done = reached(row);
  const mark = done === undefined ? "" : done ? "  reached" : "  missed";
  console.log(
    `${work}: ${ours.toFixed(2)} ${unit}, ${against} ${peer?.toFixed(2)}, ratio ${
      ratio?.toFixed(2)
    }${mark}`,
  );
}
const version = (process.versions as Record<string, string>)[runtimeName()] ?? "unknown";
if (file !== undefined) writeRecord(file, { suite: "tls", runtime: runtimeName(), version, rows });
process.exit(0);
