/**
 * The attacker: raw sockets, in a process of its own.
 *
 * @module
 */

import { type WaveName, WAVES } from "../waves/mod.ts";
import type { Target } from "./crowd.ts";
import { type Cut, CutProxy } from "./cut_proxy.ts";
import { serveCommands, uncaught } from "./program.ts";

/** One wave of an attack. */
export interface WaveOrder {
  readonly wave: WaveName;
  readonly target: Target;
  readonly load: Readonly<Record<string, number>>;
}

async function wave({ wave, target, load }: WaveOrder): Promise<unknown> {
  const run = WAVES[wave] as (target: Target, load: unknown) => Promise<unknown>;
  return { ...(await run(target, load) as object), uncaught: [...uncaught] };
}

const proxies: CutProxy[] = [];

/** Starts a proxy in front of a port; see {@linkcode CutProxy}. */
async function proxy(target: number): Promise<number> {
  const made = new CutProxy(target);
  proxies.push(made);
  return await made.listen();
}

/** Plans the cuts of the one proxy's next connections. */
function plan(cuts: readonly Cut[]): void {
  proxies.at(-1)!.plan(cuts);
}

await serveCommands({ wave, proxy, plan, longest: () => proxies.at(-1)!.longest });
