/**
 * Frames of 1 MiB that stop at 99 %: the budget bounds what they hold, the read deadline ends them.
 *
 * @module
 */

import { onlyFor, same, timely, timeouts, within } from "../rig/expect.ts";
import { pairs } from "../rig/report.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

const READ_MS = { full: 3_000, small: 1_500 } as const;
/** The frame deadline, within which a frame that waits for its share of the budget must end too. */
const IDLE_MS = { full: 10_000, small: 3_000 } as const;

/**
 * Most MiB it may cost, on every runtime: the budget, what each connection may have received beside it
 * (132 KiB; nothing waits to be sent to it), and what allocators round up to and collectors have not seen.
 */
function most(count: number): number {
  return 64 + count * 132 / 1_024 + 32;
}

/** See the module. */
export const STALLED: Row = wavesRow({
  name: "stalled",
  about: "1 MiB frames of which 99 % come; a honest client sends whole ones beside them",
  act: "stalled",
  loads: {
    full: { count: 1_000, waitMs: 30_000 },
    small: { count: 40, waitMs: 8_000 },
  },
  words: ({ count }) => `${count} x 99 % of 1 MiB`,
  config: (scale) => ({
    max_conns: 2_048,
    per_peer: { max_conns: 512 },
    read_timeout: `${READ_MS[scale]}ms`,
    idle_timeout: `${IDLE_MS[scale]}ms`,
  }),
  honest: { bigEveryMs: 500 },
  expect: (seen) => {
    const { load, fates, honest, scale, grewBytes } = seen;
    return [
      ...within("MiB it grew by", grewBytes / 1_048_576, 0, most(load.count)),
      ...same("connections ended by the read deadline", timeouts(seen, "read"), load.count),
      ...same("connections that the server ended", fates.ended + fates.reset, load.count),
      ...onlyFor(seen, "timeout"),
      ...timely(
        seen,
        "ms until the last was ended",
        fates.lived.most,
        0,
        1.2 * IDLE_MS[scale] + 500,
      ),
      ...honest.big.ok > 0 ? [] : ["no 1 MiB frame of the honest client passed"],
      // in small, the honest client may itself be late: its machine has other work
      ...honest.big.failed === 0 || scale === "small" ? [] : [
        `${honest.big.failed} frames of 1 MiB of the honest client failed: ${
          pairs(honest.failures)
        }`,
      ],
      ...timely(seen, "honest 1 MiB echo in ms", honest.big.most, 0, 2_000),
    ];
  },
  figures: ({ honest, fates }) => ({
    "honest 1 MiB echo ms (most)": honest.big.most.toFixed(0),
    "ended after ms (p50)": fates.lived.p50.toFixed(0),
  }),
});
