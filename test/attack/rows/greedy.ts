/**
 * One greedy peer of a hundred: it gets its own rate, or what the others leave of the rate of all.
 *
 * @module
 */

import type { TransportConfig } from "../../../mod.ts";
import { onlyFor, same, timely } from "../rig/expect.ts";
import { HONEST_SOURCE } from "../rig/protocol.ts";
import {
  type Load,
  type RawFates,
  type Row,
  type Scale,
  type Seen,
  wavesRow,
} from "../rig/waves_row.ts";
import { type Greed, PEERS } from "../waves/greedy.ts";

interface GreedyLoad extends Load {
  readonly bytesPerSec: number;
  readonly conns: number;
  readonly ms: number;
}

type GreedyFates = RawFates & Greed;

const PER_PEER = 400_000;
const GLOBAL = 4_000_000;
const LOADS: Readonly<Record<Scale, GreedyLoad>> = {
  full: { bytesPerSec: 20_000, conns: 8, ms: 10_000 },
  small: { bytesPerSec: 10_000, conns: 2, ms: 1_500 },
};

/** Payload bytes per second that the application got of the greedy peer, and the share of the others' that came. */
function rates({ after, fates }: Seen<GreedyLoad, GreedyFates>): [number, number] {
  let greedy = 0;
  let modest = 0;
  for (const [from, { bytes, first, last }] of Object.entries(after.received)) {
    if (from === PEERS[0]) greedy = bytes / (last - first) * 1_000;
    else if (from !== HONEST_SOURCE) modest += bytes;
  }
  return [greedy, modest / fates.modest];
}

function row(
  name: string,
  about: string,
  limits: TransportConfig["rates"],
  most: (seen: Seen<GreedyLoad, GreedyFates>) => readonly [number, number],
): Row {
  return wavesRow<GreedyLoad, GreedyFates>({
    name,
    about,
    act: "greedy",
    sources: PEERS,
    loads: LOADS,
    words: ({ bytesPerSec, ms }) =>
      `1 without end, 99 x ${bytesPerSec / 1_000} kB/s, ${ms / 1_000} s`,
    config: () => ({ rates: limits ?? {} }),
    expect: (seen) => {
      const [greedy, modest] = rates(seen);
      const { fates } = seen;
      return [
        ...timely(seen, "kB/s of the greedy peer", greedy / 1_000, ...most(seen)),
        ...timely(seen, "share of the modest peers' bytes that came", modest, 0.99, 1.0001),
        ...same("modest connections that the server ended", fates.ended + fates.reset, 0),
        ...onlyFor(seen),
      ];
    },
    figures: (seen) => {
      const [greedy, modest] = rates(seen);
      return {
        "greedy kB/s": (greedy / 1_000).toFixed(0),
        "modest peers' bytes that came %": (modest * 100).toFixed(1),
      };
    },
  });
}

/** See the module. */
export const GREEDY: readonly Row[] = [
  row(
    "greedy-peer",
    "one peer of a hundred sends without end; each may send 400 kB/s",
    { per_peer_bytes_per_sec: PER_PEER },
    () => [PER_PEER * 0.8 / 1_000, PER_PEER * 1.2 / 1_000],
  ),
  row(
    "greedy-all",
    "one peer of a hundred sends without end; all together may send 4 MB/s",
    { global_ingress_bytes_per_sec: GLOBAL },
    ({ fates }) => {
      // the rest of the rate: the honest client takes some of it as well
      const rest = GLOBAL - fates.modest / fates.ms * 1_000;
      return [rest * 0.7 / 1_000, rest * 1.2 / 1_000];
    },
  ),
];
