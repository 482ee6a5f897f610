/**
 * The peers by name, and which runtime runs each.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../../test/runtimes.ts";
import type { Peer } from "./contract.ts";

/** What runs a peer. */
export interface About {
  /** What tables call it. */
  readonly title: string;
  /** Runtimes that run it, when this one is asked for; a peer that does not run here may run on Node. */
  readonly runsOn: Partial<Readonly<Record<RuntimeName, RuntimeName>>>;
  /** A file that setup.sh makes; without it the peer is left out. */
  readonly needs?: string;
  /** Loads it. */
  readonly load: () => Promise<Peer>;
}

const OWN = { deno: "deno", bun: "bun", node: "node" } as const;

/** All of them. */
export const PEERS: Readonly<Record<PeerName, About>> = {
  ours: {
    title: "framed()",
    runsOn: OWN,
    load: () => import("./ours.ts").then((m) => m.ours),
  },
  raw_node: {
    title: "raw socket",
    runsOn: { deno: "deno", node: "node" },
    load: () => import("./raw_node.ts").then((m) => m.prefixed),
  },
  raw_node_sink: {
    title: "raw socket sink",
    runsOn: { deno: "deno", node: "node" },
    load: () => import("./raw_node.ts").then((m) => m.sink),
  },
  raw_deno: {
    title: "raw connection",
    runsOn: { deno: "deno" },
    load: () => import("./raw_deno.ts").then((m) => m.prefixed),
  },
  raw_deno_sink: {
    title: "raw connection sink",
    runsOn: { deno: "deno" },
    load: () => import("./raw_deno.ts").then((m) => m.sink),
  },
  raw_bun: {
    title: "raw socket",
    runsOn: { bun: "bun" },
    load: () => import("./raw_bun.ts").then((m) => m.prefixed),
  },
  raw_bun_sink: {
    title: "raw socket sink",
    runsOn: { bun: "bun" },
    load: () => import("./raw_bun.ts").then((m) => m.sink),
  },
};

/** Name of a peer. */
export type PeerName =
  | "ours"
  | "raw_node"
  | "raw_node_sink"
  | "raw_deno"
  | "raw_deno_sink"
  | "raw_bun"
  | "raw_bun_sink";

/** What runs a peer where this is `runtime`; `undefined` where it is left out. */
export function runs(name: PeerName, runtime: RuntimeName): RuntimeName | undefined {
  const { runsOn, needs } = PEERS[name];
  if (needs !== undefined && !existsSync(fileURLToPath(new URL(needs, import.meta.url)))) {
    return undefined;
  }
  return runsOn[runtime];
}

/** Loads a peer. */
export async function load(name: PeerName): Promise<Peer> {
  return await PEERS[name].load();
}
