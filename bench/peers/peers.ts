/**
 * The peers by name, and which runtimes run each.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../../test/runtimes.ts";
import type { Peer } from "./contract.ts";

/** What is known of a peer. */
export interface About {
  /** What tables call it. */
  readonly title: string;
  /** Runtimes that run it. */
  readonly on: readonly RuntimeName[];
  /** A file that setup.sh makes; without it the peer is left out. */
  readonly needs?: string;
  /** Loads it. */
  readonly load: () => Promise<Peer>;
}

/** All of them. */
export const PEERS: Readonly<Record<PeerName, About>> = {
  ours: {
    title: "framed()",
    on: ["deno", "bun"],
    load: () => import("./ours.ts").then((m) => m.ours),
  },
  ours_request: {
    title: "request()",
    on: ["deno", "bun"],
    load: () => import("./ours.ts").then((m) => m.oursByRequest),
  },
  raw_node: {
    title: "raw node:net socket",
    on: ["deno"],
    load: () => import("./raw_node.ts").then((m) => m.prefixed),
  },
  raw_node_sink: {
    title: "raw node:net sink",
    on: ["deno"],
    load: () => import("./raw_node.ts").then((m) => m.sink),
  },
  raw_deno: {
    title: "raw Deno.Conn",
    on: ["deno"],
    load: () => import("./raw_deno.ts").then((m) => m.prefixed),
  },
  raw_deno_sink: {
    title: "raw Deno.Conn sink",
    on: ["deno"],
    load: () => import("./raw_deno.ts").then((m) => m.sink),
  },
  raw_bun: {
    title: "raw Bun socket",
    on: ["bun"],
    load: () => import("./raw_bun.ts").then((m) => m.prefixed),
  },
  raw_bun_sink: {
    title: "raw Bun socket sink",
    on: ["bun"],
    load: () => import("./raw_bun.ts").then((m) => m.sink),
  },
  ws: {
    title: "ws",
    on: ["deno", "bun"],
    needs: "./node_modules/.bundle/ws.mjs",
    load: () => import("./ws.ts").then((m) => m.ws),
  },
  web_socket: {
    title: "the runtime's WebSocket",
    on: ["deno", "bun"],
    load: () => import("./web_socket.ts").then((m) => m.webSocket),
  },
  grpc: {
    title: "@grpc/grpc-js",
    on: ["deno", "bun"],
    needs: "./node_modules/.bundle/grpc.mjs",
    load: () => import("./grpc.ts").then((m) => m.grpc),
  },
  libp2p: {
    title: "libp2p, TCP and yamux",
    on: ["deno", "bun"],
    needs: "./node_modules/.bundle/libp2p.mjs",
    load: () => import("./libp2p.ts").then((m) => m.libp2p),
  },
};

/** Name of a peer. */
export type PeerName =
  | "ours"
  | "ours_request"
  | "raw_node"
  | "raw_node_sink"
  | "raw_deno"
  | "raw_deno_sink"
  | "raw_bun"
  | "raw_bun_sink"
  | "ws"
  | "web_socket"
  | "grpc"
  | "libp2p";

/** Whether a peer runs on this runtime, and is installed. */
export function present(name: PeerName, runtime: RuntimeName): boolean {
  const { on, needs } = PEERS[name];
  if (!on.includes(runtime)) return false;
  return needs === undefined || existsSync(fileURLToPath(new URL(needs, import.meta.url)));
}

/** Loads a peer. */
export async function load(name: PeerName): Promise<Peer> {
  return await PEERS[name].load();
}
