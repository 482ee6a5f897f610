/**
 * Drips: each byte restarts the read deadline, and the frame deadline ends them all the same.
 *
 * @module
 */

import { onlyFor, same, timely, timeouts } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

const FRAME_MS = { full: 8_000, small: 2_000 } as const;

/** See the module. */
export const DRIPS: Row = wavesRow({
  name: "drips",
  about: "one byte a second, half of them inside a header, half inside a body",
  act: "drips",
  loads: {
    full: { count: 5_000, everyMs: 1_000, waitMs: 30_000 },
    small: { count: 60, everyMs: 100, waitMs: 5_000 },
  },
  words: ({ count, everyMs }) => `${count} x 1 B / ${everyMs} ms`,
  config: (scale) => ({
    max_conns: 8_192,
    per_peer: { max_conns: 1_024 },
    read_timeout: scale === "full" ? "5s" : "1500ms",
    idle_timeout: `${FRAME_MS[scale]}ms`,
  }),
  expect: (seen) => {
    const { load, fates, scale } = seen;
    const most = FRAME_MS[scale];
    return [
      ...same("connections ended by the frame deadline", timeouts(seen, "read"), load.count),
      ...same("connections that the server ended", fates.ended + fates.reset, load.count),
      ...onlyFor(seen, "timeout"),
      ...timely(seen, "ms they lived (p50)", fates.lived.p50, 0.9 * most, 1.2 * most + 300),
      ...timely(seen, "ms they lived (most)", fates.lived.most, 0, 1.2 * most + 1_000),
    ];
  },
  figures: ({ fates }) => ({
    "ended after ms (p50)": fates.lived.p50.toFixed(0),
    "ended after ms (most)": fates.lived.most.toFixed(0),
  }),
});
