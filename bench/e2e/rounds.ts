/**
 * Rounds of several peers in turns, and ratios within a round.
 *
 * @module
 */

import { median } from "../codec/paired.ts";
import type { Job } from "../peers/contract.ts";
import type { PeerName } from "../peers/peers.ts";
import { type Cost, Pair } from "./pair.ts";

/** How long to measure. */
export interface Effort {
  readonly rounds: number;
  /** Milliseconds of processor time for each peer in a round, both processes together. */
  readonly ms: number;
  /** The same, before the first round. */
  readonly learn: number;
}

/** Enough for a figure. */
export const FULL: Effort = { rounds: 9, ms: 250, learn: 1_500 };
/** Enough to see that it runs. */
export const QUICK: Effort = { rounds: 1, ms: 5, learn: 5 };

/** What one peer came to. */
export interface Figures {
  readonly peer: PeerName;
  /** Each round. */
  readonly costs: readonly Cost[];
  /** Microseconds of processor time of both processes for one message, median. */
  readonly cpu: number;
  /** Messages a second by the clock, median. */
  readonly rate: number;
}

/** Does a job with each peer that is there, in turns whose order changes. */
export async function rounds(
  job: Job,
  peers: readonly PeerName[],
  effort: Effort,
): Promise<Figures[]> {
  const pairs: { pair: Pair; count: number; costs: Cost[] }[] = [];
  try {
    for (const peer of peers) {
      const pair = await Pair.start(peer, job);
      if (pair === undefined) continue;
      const one = { pair, count: 0, costs: [] };
      pairs.push(one);
      one.count = await pair.warm(effort.ms, effort.learn);
    }
    for (let round = 0; round < effort.rounds; round++) {
      for (let k = 0; k < pairs.length; k++) {
        const { pair, count, costs } = pairs[(k + round) % pairs.length]!;
        costs.push(await pair.run(count));
      }
    }
    return pairs.map(({ pair: { peer }, costs }) => ({
      peer,
      costs,
      cpu: median(costs.map(({ cpu }) => cpu)),
      rate: 1e6 / median(costs.map(({ wall }) => wall)),
    }));
  } finally {
    for (const { pair } of pairs) await pair[Symbol.asyncDispose]();
  }
}

/** How many times the messages a processor second of `of` those of `one` are: median within rounds. */
export function better(one: Figures, of: Figures): number {
  return median(one.costs.map(({ cpu }, i) => of.costs[i]!.cpu / cpu));
}
