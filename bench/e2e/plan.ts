/**
 * What is measured end to end, against what, and how much better it should be.
 *
 * @module
 */

import type { Job } from "../peers/contract.ts";
import type { PeerName } from "../peers/peers.ts";

/** One comparison. */
export interface Against {
  /** Part of the row's id. */
  readonly id: string;
  /** The best of these counts. */
  readonly best: readonly PeerName[];
  /** What the ratio should be at least. */
  readonly goal: number | null;
}

/** One kind of work, against all peers in turns. */
export interface Table {
  /** Beginning of the rows' ids. */
  readonly id: string;
  /** For people. */
  readonly work: string;
  readonly job: Job;
  readonly against: readonly Against[];
}

const SINKS: readonly PeerName[] = ["raw_node_sink", "raw_deno_sink", "raw_bun_sink"];
const PREFIXED: readonly PeerName[] = ["raw_node", "raw_deno", "raw_bun"];

function peers(
  goals: Readonly<Record<"raw" | "ws" | "web_socket" | "grpc" | "libp2p", number>>,
): Against[] {
  return [
    { id: "raw", best: PREFIXED, goal: goals.raw },
    { id: "ws", best: ["ws"], goal: goals.ws },
    { id: "web_socket", best: ["web_socket"], goal: goals.web_socket },
    { id: "grpc", best: ["grpc"], goal: goals.grpc },
    { id: "libp2p", best: ["libp2p"], goal: goals.libp2p },
  ];
}

const AHEAD = { raw: 0.8, ws: 1, web_socket: 1, grpc: 1, libp2p: 1 };
const ASKING = { raw: 0.8, ws: 3, web_socket: 2, grpc: 40, libp2p: 10 };

/** All of it. */
export const TABLES: readonly Table[] = [
  {
    id: "flow-64b",
    work: "one-way, frames of 64 B",
    job: { kind: "flow", bytes: 64, inflight: 1 },
    against: [{ id: "sink", best: SINKS, goal: 0.5 }],
  },
  {
    id: "flow-64k",
    work: "one-way, frames of 64 KiB",
    job: { kind: "flow", bytes: 65_536, inflight: 1 },
    against: [{ id: "sink", best: SINKS, goal: 0.9 }, ...peers(AHEAD)],
  },
  {
    id: "flow-1m",
    work: "streaming, messages of 1 MiB",
    job: { kind: "flow", bytes: 1_048_576, inflight: 1 },
    against: peers(AHEAD),
  },
  {
    id: "ask-64b",
    work: "request/response, 64 B, 64 in flight",
    job: { kind: "ask", bytes: 64, inflight: 64 },
    against: [...peers(ASKING), { id: "request", best: ["ours_request"], goal: null }],
  },
];
