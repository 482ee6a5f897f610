/**
 * The attacker: raw sockets, in a process of its own.
 *
 * @module
 */

import { type WaveName, WAVES } from "../waves/mod.ts";
import type { Target } from "./crowd.ts";
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

await serveCommands({ wave });
