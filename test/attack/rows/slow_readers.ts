/**
 * Replies that nobody reads: bounded in the inbox, and ended by the write deadline.
 *
 * @module
 */

import { onlyFor, same, timeouts } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

/** See the module. */
export const SLOW_READERS: Row = wavesRow({
  name: "slow-readers",
  about: "peers that ask for 1 MiB replies and never read",
  act: "slowReaders",
  loads: {
    full: { count: 500, requests: 16, waitMs: 15_000 },
    small: { count: 15, requests: 16, waitMs: 2_500 },
  },
  words: ({ count, requests }) => `${count} x ${requests} replies of 1 MiB`,
  config: (scale) => ({ write_timeout: scale === "full" ? "3s" : "600ms" }),
  expect: (seen) => {
    const { load, before, after } = seen;
    const ended = timeouts(seen, "write");
    const left = (after.closes["io_closed"] ?? 0) - (before.closes["io_closed"] ?? 0);
    // Whoever has no reply in the server's memory, because the budget had no room, is not ended.
    return [
      ...same("ended by the write deadline, and left", ended + left, load.count),
      ...ended > 0 ? [] : ["none was ended by the write deadline"],
      ...onlyFor(seen, "timeout"),
      ...after.counters.busy > before.counters.busy ? [] : ["no reply was refused as busy"],
    ];
  },
  figures: ({ before, after }) => ({ busy: after.counters.busy - before.counters.busy }),
});
