/**
 * Cost of a message as something grows, and the exponent of that growth.
 *
 * @module
 */

import { loadavg } from "node:os";
import { runtimeName } from "../../test/runtimes.ts";
import type { Job } from "../peers/contract.ts";
import { type PeerName, PEERS } from "../peers/peers.ts";
import type { Row } from "../report/record.ts";
import { better, type Effort, type Figures, rounds } from "../e2e/rounds.ts";

/** What grows, and what is done at each size. */
export interface Table {
  readonly id: string;
  /** For people. */
  readonly work: string;
  /** What `x` counts. */
  readonly of: string;
  readonly xs: readonly number[];
  readonly quick: readonly number[];
  readonly job: (x: number) => Job;
  /** Whether raw sockets can do the same. */
  readonly raw: boolean;
}

const CONNECTIONS = [1, 10, 100, 1_000, 10_000];

/** All of it. */
export const TABLES: readonly Table[] = [
  {
    id: "active",
    work: "requests of 64 B, spread over connections, 1 in flight on each",
    of: "connections",
    xs: CONNECTIONS,
    quick: [1, 100],
    job: (x) => ({ kind: "ask", bytes: 64, inflight: 1, connections: x }),
    raw: true,
  },
  {
    id: "idle",
    work: "requests of 64 B on one connection, 64 in flight, beside idle ones",
    of: "connections",
    xs: CONNECTIONS,
    quick: [1, 100],
    job: (x) => ({ kind: "ask", bytes: 64, inflight: 64, idle: x - 1 }),
    raw: true,
  },
  {
    id: "size",
    work: "one-way, single frames by size of payload",
    of: "bytes",
    xs: [0, 64, 1_024, 16_384, 65_536, 262_144, 1_048_538],
    quick: [0, 65_536, 1_048_538],
    job: (x) => ({ kind: "flow", bytes: x, inflight: 1 }),
    raw: false,
  },
  {
    id: "inflight",
    work: "requests of 64 B on one connection by requests in flight",
    of: "in flight",
    xs: [1, 2, 4, 8, 16, 32, 64],
    quick: [1, 64],
    job: (x) => ({ kind: "ask", bytes: 64, inflight: x }),
    raw: true,
  },
];

const RAW: Readonly<Record<string, PeerName>> = { deno: "raw_node", bun: "raw_bun" };

/** Measures a table. */
export async function growth(table: Table, effort: Effort, quick: boolean): Promise<Row[]> {
  const raw = RAW[runtimeName()];
  const peers: PeerName[] = table.raw && raw !== undefined ? ["ours", raw] : ["ours"];
  const points: { x: number; figures: Figures[] }[] = [];
  for (const x of quick ? table.quick : table.xs) {
    points.push({ x, figures: await rounds(table.job(x), peers, effort) });
  }
  const rows = points.map(({ x, figures }) => point(table, x, figures));
  const exponents = peers.map((_, i) =>
    exponent(points.map(({ x, figures }) => ({ x, y: figures[i]!.cpu })))
  );
  return [...rows, {
    id: `${table.id}-exponent`,
    work: `${table.work}: exponent of the cost of one, by ${table.of}`,
    ours: exponents[0]!,
    peer: exponents[1] ?? null,
    against: exponents[1] === undefined ? "" : PEERS[peers[1]!].title,
    unit: "exponent",
    ratio: null,
    goal: null,
    rounds: effort.rounds,
  }];
}

function point({ id, work, of }: Table, x: number, [ours, raw]: readonly Figures[]): Row {
  const { cpu, rate, costs } = ours as Figures;
  return {
    id: `${id}-${x}`,
    work,
    ours: cpu,
    peer: raw === undefined ? null : raw.cpu,
    against: raw === undefined ? "" : PEERS[raw.peer].title,
    unit: "µs/message",
    ratio: raw === undefined ? null : better(ours as Figures, raw),
    goal: null,
    rounds: costs.length,
    note: `${x} ${of}; ${Math.round(rate / 1000)} k/s; load ${loadavg()[0]!.toFixed(1)}`,
    series: { x, y: cpu },
    measures: { cpu, throughput: rate },
  };
}

/** The slope of a line through the logarithms, by least squares; what is at 0 is left out. */
export function exponent(points: readonly { readonly x: number; readonly y: number }[]): number {
  const logs = points.filter(({ x }) => x > 0).map(({ x, y }) =>
    [Math.log(x), Math.log(y)] as const
  );
  const mean = (of: 0 | 1): number => logs.reduce((sum, log) => sum + log[of], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const above = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return above / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
