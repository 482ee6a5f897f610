/**
 * Headers above the cap: judged at their 38 bytes, with nothing allocated for what they declare.
 *
 * @module
 */

import { onlyFor, refusals, same } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

/** See the module. */
export const OVERSIZE: Row = wavesRow({
  name: "oversize",
  about: "headers that declare cap + 1, 2^31 or 2^32 - 1 bytes; the payload never comes",
  act: "oversize",
  loads: {
    full: { count: 10_000, atOnce: 100 },
    small: { count: 90, atOnce: 30 },
  },
  words: ({ count }) => `${count} headers`,
  config: () => ({}),
  expect: (seen) => {
    const { load, before, after, fates } = seen;
    const faults = (after.counters.malformed["FrameTooLarge"] ?? 0) -
      (before.counters.malformed["FrameTooLarge"] ?? 0);
    return [
      ...same("refused for too_large", refusals(seen, "too_large"), load.count),
      ...same("FrameTooLarge", faults, load.count),
      ...same("connections that the server ended", fates.ended + fates.reset, load.count),
      ...onlyFor(seen, "too_large"),
    ];
  },
  figures: ({ fates }) => ({ "refused after ms (p50)": fates.lived.p50.toFixed(1) }),
});
