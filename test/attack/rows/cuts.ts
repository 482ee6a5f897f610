/**
 * Sessions that are cut at every byte offset, by RST and by FIN, seen from both ends: the library
 * dials itself through a proxy that cuts.
 *
 * @module
 */

import type { Cut } from "../rig/cut_proxy.ts";
import type { DialerReport } from "../rig/dialer.ts";
import { onlyFor, same } from "../rig/expect.ts";
import { pairs } from "../rig/report.ts";
import {
  type Load,
  type Row,
  type Scale,
  type Seen,
  type Stage,
  wavesRow,
} from "../rig/waves_row.ts";

interface CutsLoad extends Load {
  /** Bytes between two offsets. */
  readonly step: number;
  readonly atOnce: number;
}

interface CutsFates extends DialerReport {
  readonly sessions: number;
  readonly up: number;
  readonly down: number;
}

/** Learns how long a session is in both directions, then cuts at each offset of it. */
async function cut({ attacker, dialer, ready }: Stage, load: CutsLoad): Promise<CutsFates> {
  const port = await attacker.tell<number>("proxy", ready.port);
  const at = { port, ca: ready.ca };
  await dialer().tell<DialerReport>("run", { ...at, count: 1 });
  const { up, down } = await attacker.tell<{ up: number; down: number }>("longest");
  const cuts: Cut[] = [];
  for (const how of ["rst", "fin"] as const) {
    for (let offset = 0; offset <= up; offset += load.step) {
      cuts.push({ direction: "up", offset, how });
    }
    for (let offset = 0; offset <= down; offset += load.step) {
      cuts.push({ direction: "down", offset, how });
    }
  }
  await attacker.tell("plan", cuts);
  const { atOnce } = load;
  const report = await dialer().tell<DialerReport>("run", { ...at, count: cuts.length, atOnce });
  return { ...report, sessions: cuts.length, up, down };
}

function expect(seen: Seen<CutsLoad, CutsFates>): string[] {
  const { before, after, fates, honest } = seen;
  const ends = (stats: typeof after): number =>
    Object.values(stats.closes).reduce((sum, n) => sum + n, 0);
  const accepted = after.counters.accepts - before.counters.accepts;
  const typed = Object.values(fates.kinds).reduce((sum, n) => sum + n, 0);
  return [
    ...fates.faults,
    ...fates.uncaught.map((text) => `uncaught in the dialler: ${text}`),
    ...same("sessions with an outcome", fates.complete + typed, fates.sessions),
    ...same("slots of the dialler in use", fates.inflight, 0),
    // and the one uncut session; those of the honest client are among them
    ...same("admitted", accepted, fates.sessions + 1 + honest.dials.ok + honest.dials.failed),
    ...same("ends told, one a connection", ends(after) - ends(before), accepted),
    ...onlyFor(seen, "tls"),
  ];
}

function row(name: string, tls: boolean, loads: Record<Scale, CutsLoad>): Row {
  return wavesRow<CutsLoad, CutsFates>({
    name,
    about: `sessions over ${tls ? "TLS" : "TCP"} that are cut at every byte, by RST and by FIN`,
    act: cut,
    tls,
    loads,
    words: ({ step }) => step === 1 ? "every offset, 2 directions, RST and FIN" : `every ${step} B`,
    config: () => ({
      ...tls ? { backend: "tls" as const, tls: { enabled: true } } : {},
      max_conns: 1_024,
      per_peer: { max_conns: 512 },
    }),
    expect,
    figures: ({ fates }) => ({
      sessions: fates.sessions,
      "bytes up and down": `${fates.up} ${fates.down}`,
      complete: fates.complete,
      errors: pairs(fates.kinds),
    }),
  });
}

/** See the module. */
export const CUTS: readonly Row[] = [
  row("cuts-tcp", false, { full: { step: 1, atOnce: 8 }, small: { step: 40, atOnce: 4 } }),
  row("cuts-tls", true, { full: { step: 1, atOnce: 8 }, small: { step: 300, atOnce: 4 } }),
];
