/**
 * A drain under load, with peers in its way: what is in flight is finished, or has an error that says
 * why, and the process ends by itself.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { Child, helperRuntime } from "../rig/child.ts";
import type { LoadReport } from "../rig/dialer.ts";
import { same, within } from "../rig/expect.ts";
import { ATTACK_SOURCES } from "../rig/protocol.ts";
import type { RowReport } from "../rig/report.ts";
import type { ServerReady, ServerStats } from "../rig/server.ts";
import type { Row, RowContext, Scale } from "../rig/waves_row.ts";

interface DrainLoad {
  readonly conns: number;
  readonly inFlight: number;
  readonly stalled: number;
}

const LOADS: Readonly<Record<Scale, DrainLoad>> = {
  full: { conns: 100, inFlight: 8, stalled: 50 },
  small: { conns: 10, inFlight: 4, stalled: 5 },
};
/** What a drain is given, and what it may take beyond: the process collects garbage and reports. */
const DRAIN_MS = 5_000;
const BEYOND_MS = 2_000;

/** See the module. */
export const DRAIN: Row = {
  name: "drain",
  about: "SIGTERM under load, while stalled frames and peers that do not read stand in the way",
  run: drain,
};

async function drain({ runtime, scale }: RowContext): Promise<RowReport> {
  const start = performance.now();
  const load = LOADS[scale];
  await using server = new Child(runtime, "server");
  await using clients = new Child(helperRuntime(), "dialer");
  await using attacker = new Child(helperRuntime(), "attacker");
  const config = { max_conns: 1_024, per_peer: { max_conns: 512 }, read_timeout: "30s" };
  const { port } = await server.tell<ServerReady>("start", { config });
  const target = { port, sources: ATTACK_SOURCES };
  const order = { wave: "stalled", target, load: { count: load.stalled, waitMs: 30_000 } };
  const attack = attacker.tell<unknown>("wave", order);
  const { conns: count, inFlight } = load;
  const clientsEnd = clients.tell<LoadReport>("load", { port, count, inFlight });
  // all of them are connected and have asked, before it is told to stop
  while (await server.tell<number>("inflight") < count + load.stalled) await delay(50);
  await delay(scale === "full" ? 3_000 : 500);
  server.kill("SIGTERM");
  const asked = performance.now();
  const stats = await server.next<ServerStats>("SIGTERM");
  const tookMs = performance.now() - asked;
  const [exit, report] = await Promise.all([server.exit, clientsEnd, attack]);
  const typed = Object.values(report.kinds).reduce((sum, n) => sum + n, 0);
  const told = stats.readiness.findIndex(({ to }) =>
    to.state === "NotReady" && to.reason === "draining"
  );
  return {
    name: "drain",
    load: `${count} x ${inFlight} in flight, ${load.stalled} stalled`,
    refused: Object.fromEntries(Object.entries(stats.counters.rejected).filter(([, n]) => n > 0)),
    honest: undefined,
    resident: undefined,
    heap: undefined,
    descriptors: undefined,
    figures: {
      asked: report.asked,
      answered: report.answered,
      "turned away (503)": report.turnedAway,
      "errors of a kind": typed,
      "drained in ms": tookMs.toFixed(0),
    },
    faults: [
      ...report.faults,
      ...[...report.uncaught, ...stats.uncaught].map((text) => `uncaught: ${text}`),
      ...same(
        "requests with an answer or an error of a kind",
        report.answered + report.turnedAway + typed,
        report.asked,
      ),
      ...report.answered > 0 ? [] : ["no request was answered"],
      ...told < 0 ? ["readiness did not become NotReady (draining)"] : [],
      ...same("connections closed before readiness told", stats.readiness[told]?.closed ?? 0, 0),
      ...same("requests in hand whose answer came too late", stats.lost, 0),
      ...same("connections left", stats.counters.inflight, 0),
      ...scale === "full" ? within("ms it took", tookMs, 0, DRAIN_MS + BEYOND_MS) : [],
      ...exit.code === 0 ? [] : [`the process ended with ${exit.signal ?? exit.code}, not 0`],
    ],
    seconds: (performance.now() - start) / 1_000,
  };
}
