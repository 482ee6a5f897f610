/**
 * A flood of connections: the limits of one peer stop it before the honest client's share is touched.
 *
 * @module
 */

import { onlyFor, refusals, same } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

const PER_PEER = { full: 64, small: 16 } as const;
const SOURCES = 7;

/** See the module. */
export const FLOOD: Row = wavesRow({
  name: "flood",
  about: "new connections from several addresses, half of them held, half of them reset",
  act: "flood",
  loads: {
    full: { perSecond: 2_000, ms: 30_000 },
    small: { perSecond: 1_000, ms: 500 },
  },
  words: ({ perSecond, ms }) => `${perSecond} connections/s, ${ms / 1_000} s`,
  config: (scale) => ({
    max_conns: 1_024,
    per_peer: { max_conns: PER_PEER[scale] },
    rates: { per_peer_accepts_per_sec: scale === "full" ? 100 : 40 },
  }),
  expect: (seen) => {
    const { before, after, fates, honest } = seen;
    const accepted = after.counters.accepts - before.counters.accepts;
    const refused = refusals(seen, "peer_limit") + refusals(seen, "rate_limited");
    const dials = honest.dials.ok + honest.dials.failed;
    return [
      ...same("accepted and refused", accepted + refused - dials, fates.connected),
      ...onlyFor(seen, "peer_limit", "rate_limited"),
      ...same("connects that failed", Object.values(fates.failed).reduce((a, b) => a + b, 0), 0),
      ...refused > 0 ? [] : ["nothing was refused"],
    ];
  },
  figures: ({ fates, before, after, scale }) => ({
    "connections/s": String(fates["achieved"]),
    admitted: after.counters.accepts - before.counters.accepts,
    "may be held": PER_PEER[scale] * SOURCES,
  }),
});
