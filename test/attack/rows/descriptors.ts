/**
 * No descriptor is left: what is open goes on, and accepting goes on once some are free.
 *
 * @module
 */

import { onlyFor, timely } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

/** See the module. */
export const DESCRIPTORS: Row = wavesRow({
  name: "descriptors",
  about: "more connections than `ulimit -n` has room for, then all of them go",
  act: "exhaust",
  loads: {
    full: { count: 400, ms: 5_000 },
    small: { count: 250, ms: 700 },
  },
  words: ({ count }) => `${count} connections, 200 descriptors`,
  descriptors: 200,
  // The mistake that leads here: more connections allowed than there are descriptors.
  config: () => ({ max_conns: 1_024 }),
  // What is open must go on; a dial cannot, while there is no descriptor.
  honest: { dialEveryMs: 0 },
  expect: (seen) => {
    const { fates, before, after, load } = seen;
    const cpu = (after.cpuMicros - before.cpuMicros) / 1_000;
    return [
      ...onlyFor(seen),
      ...timely(
        seen,
        "ms until a new connection is answered",
        Number(fates["resumedMs"]),
        0,
        1_100,
      ),
      // half of one processor, beside what the collections and the honest client cost
      ...timely(seen, "ms of processor time", cpu, 0, 0.5 * (load.ms + 1_000) + 1_500),
    ];
  },
  figures: ({ fates, before, after }) => ({
    "resumed after ms": Number(fates["resumedMs"]).toFixed(0),
    "accept faults": after.counters.acceptFaults - before.counters.acceptFaults,
    "processor ms": ((after.cpuMicros - before.cpuMicros) / 1_000).toFixed(0),
  }),
});
