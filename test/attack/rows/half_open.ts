/**
 * Peers that are gone without saying so: a stopped process, whose kernel still acknowledges. Those that
 * are written to are found by the write deadline, the silent ones by a ping.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { onlyFor, same, timely, timeouts } from "../rig/expect.ts";
import {
  type Load,
  type Row,
  type Scale,
  type Seen,
  type Stage,
  wavesRow,
} from "../rig/waves_row.ts";

interface HalfOpenLoad extends Load {
  readonly count: number;
}

interface HalfOpenFates {
  readonly foundMs: number;
}

const PING: Readonly<Record<Scale, { intervalMs: number; timeoutMs: number }>> = {
  full: { intervalMs: 1_000, timeoutMs: 1_000 },
  small: { intervalMs: 500, timeoutMs: 500 },
};
const WRITE_MS = 1_500;
const PATIENCE_MS = 20_000;

async function stop(stage: Stage, { count }: HalfOpenLoad): Promise<HalfOpenFates> {
  const { server, ready } = stage;
  const before = await server.tell<number>("inflight");
  await using peer = stage.client();
  await peer.tell("hold", { port: ready.port, ca: ready.ca, count });
  await peer.tell("ask", 16);
  peer.kill("SIGSTOP");
  const start = performance.now();
  // the honest client's dials come and go: until there is a moment without one
  const left = async (): Promise<number> => await server.tell<number>("inflight") - before;
  while (await left() > 0 && performance.now() - start < PATIENCE_MS) await delay(5);
  return { foundMs: performance.now() - start };
}

/** See the module. */
export const HALF_OPEN: Row = wavesRow<HalfOpenLoad, HalfOpenFates>({
  name: "half-open",
  about: "a stopped process with open connections, half of them silent, half of them not reading",
  act: stop,
  loads: { full: { count: 200 }, small: { count: 20 } },
  words: ({ count }) => `${count} connections of a stopped process`,
  config: () => ({ write_timeout: `${WRITE_MS}ms`, idle_timeout: "60s" }),
  ping: (scale) => PING[scale],
  expect: (seen: Seen<HalfOpenLoad, HalfOpenFates>) => {
    const { load, fates, scale } = seen;
    const { intervalMs, timeoutMs } = PING[scale];
    const most = Math.max(intervalMs + timeoutMs, WRITE_MS);
    const found = timeouts(seen, "request") + timeouts(seen, "read") + timeouts(seen, "write") +
      timeouts(seen, "ping");
    return [
      ...same("connections found", found, load.count),
      ...timely(seen, "ms until all were found", fates.foundMs, 0, most * 1.2 + 500),
      ...onlyFor(seen, "timeout"),
    ];
  },
  figures: ({ fates, before, after }) => ({
    "found after ms": fates.foundMs.toFixed(0),
    "by the write deadline": (after.counters.timeouts["write"] ?? 0) -
      (before.counters.timeouts["write"] ?? 0),
  }),
});
