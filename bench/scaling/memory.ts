/**
 * What an idle connection holds, framed and raw, on the end that accepts and on the end that dials.
 *
 * Each connection has moved one message before. The server is measured with some connections and with many
 * more, so that what the process itself takes cancels out; of clients there is one process for each number.
 *
 * @module
 */

import { loadavg } from "node:os";
import { runtimeName } from "../../test/runtimes.ts";
import { median } from "../codec/paired.ts";
import { Pair } from "../e2e/pair.ts";
import type { Memory } from "../e2e/end.ts";
import type { Job } from "../peers/contract.ts";
import { type PeerName, PEERS } from "../peers/peers.ts";
import type { Row } from "../report/record.ts";

const RAW: Readonly<Record<string, PeerName>> = { deno: "raw_node", bun: "raw_bun" };
/** What a framed connection may hold more than a raw one, in KiB. */
const MORE_KIB = 2;

type End = "server" | "client";
/** KiB of a connection. */
type Sizes = Record<End, Memory>;

/** Measures both kinds in turns. */
export async function memory(quick: boolean): Promise<Row[]> {
  const raw = RAW[runtimeName()];
  if (raw === undefined) return [];
  const [some, many, times] = quick ? [50, 100, 1] : [2_000, 10_000, 3];
  const ours: Sizes[] = [];
  const others: Sizes[] = [];
  for (let i = 0; i < times; i++) {
    ours.push(await sizes("ours", some, many));
    others.push(await sizes(raw, some, many));
  }
  const load = `load ${loadavg()[0]!.toFixed(1)}`;
  return (["server", "client"] as const).flatMap((end) =>
    (["rss", "heap"] as const).flatMap((kind) => {
      const of = (all: readonly Sizes[]): number => median(all.map((one) => one[end][kind]));
      return rows(end, kind, of(ours), of(others), `${many} connections; ${load}`, times, raw);
    })
  );
}

function rows(
  end: End,
  kind: keyof Memory,
  ours: number,
  raw: number,
  note: string,
  rounds: number,
  peer: PeerName,
): Row[] {
  const what = `an idle connection, ${end === "server" ? "accepted" : "dialled"}: ${
    kind === "rss" ? "resident memory" : "heap"
  }`;
  const common = { unit: "KiB", rounds, note };
  // Less than nothing more cannot be told from nothing more.
  const more = Math.max(0.01, ours - raw);
  return [
    {
      ...common,
      id: `memory-${end}-${kind}`,
      work: what,
      ours,
      peer: raw,
      against: PEERS[peer].title,
      ratio: null,
      goal: null,
      measures: { memory: Math.max(0, ours) * 1024 },
    },
    {
      ...common,
      id: `memory-${end}-${kind}-more`,
      work: `${what}, more than raw`,
      ours: ours - raw,
      peer: MORE_KIB,
      against: `at most ${MORE_KIB} KiB`,
      ratio: MORE_KIB / more,
      goal: 1,
    },
  ];
}

async function sizes(peer: PeerName, some: number, many: number): Promise<Sizes> {
  const job = (connections: number): Job => ({ kind: "ask", bytes: 64, inflight: 1, connections });
  await using few = await start(peer, job(some));
  await few.run(some);
  const before = await few.memory();
  await using all = await few.beside(job(many));
  await all.run(many);
  const after = await all.memory();
  const each = (a: number, b: number, n: number): number => (b - a) / n / 1024;
  const one = (end: End, n: number): Memory => ({
    rss: each(before[end].rss, after[end].rss, n),
    heap: each(before[end].heap, after[end].heap, n),
  });
  return { server: one("server", many), client: one("client", many - some) };
}

async function start(peer: PeerName, job: Job): Promise<Pair> {
  const pair = await Pair.start(peer, job);
  if (pair === undefined) throw new Error(`${peer} does not run on ${runtimeName()}`);
  return pair;
}
