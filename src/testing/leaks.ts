/**
 * What work leaves behind.
 *
 * @module
 */

import { openSockets } from "../runtime/host_descriptors.ts";
import type { Transport } from "../transport.ts";
import { type CountedSignal, countedSignal } from "./counted_signal.ts";
import { watchTimers } from "./timer_watch.ts";

/** What the work is given, to say what shall be looked at. */
export interface LeakWatch {
  /** Looks at a transport: in the end it must hold no connection, slot or byte. Returns it. */
  transport(transport: Transport): Transport;
  /** Makes an abort controller whose signal's listeners are counted; none may be left. */
  controller(): AbortController;
}

/** Options of {@linkcode assertNoLeaks}. */
export interface LeakOptions {
  /** Milliseconds that what is on its way out is given. @default {1600} */
  patienceMs?: number;
}

/**
 * Runs some work, and fails if it leaves something behind: sockets (on Linux, with the right to read
 * `/proc`), timers, listeners of signals, or what a transport holds. Nothing else may run meanwhile.
 *
 * @param work Is given what {@linkcode LeakWatch} has.
 * @param options How long to wait.
 * @returns What the work gives.
 * @throws {Error} One line for each thing that is left; or what the work throws, which is then not looked at.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { assertNoLeaks } from "@ron/transport/testing";
 *
 * await assertNoLeaks(async (watch) => {
 *   await using server = watch.transport(new Transport());
 *   await using client = watch.transport(new Transport());
 *   const listener = await server.listen({ address: "tcp://127.0.0.1:0", onConnection: () => {} });
 *   const connection = await client.dial(listener.address, { signal: watch.controller().signal });
 *   await connection.close();
 * });
 * ```
 */
export async function assertNoLeaks<T>(
  work: (watch: LeakWatch) => Promise<T> | T,
  options: LeakOptions = {},
): Promise<T> {
  const sockets = openSockets();
  const timers = watchTimers();
  const transports: Transport[] = [];
  const signals: CountedSignal[] = [];
  try {
    const result = await work({
      transport(transport) {
        transports.push(transport);
        return transport;
      },
      controller() {
        const counted = countedSignal();
        signals.push(counted);
        return counted.controller;
      },
    });
    const left = (): string[] => [
      ...socketsLeft(sockets),
      ...timers.waiting.values(),
      ...signals.flatMap(({ listeners }) =>
        listeners() === 0 ? [] : [`${listeners()} listener(s) of a signal`]
      ),
      ...transports.flatMap(heldBy),
    ];
    await untilNone(left, options.patienceMs ?? 1_600, timers.pause);
    return result;
  } finally {
    timers.stop();
  }
}

/** Asks again, in growing steps, until nothing is left. */
async function untilNone(
  left: () => string[],
  patienceMs: number,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  let lines: string[] = [];
  for (let waited = 0, step = 1;; waited += step, step *= 2) {
    await pause(Math.min(step, Math.max(0, patienceMs - waited)));
    lines = left();
    if (lines.length === 0) return;
    if (waited >= patienceMs) break;
  }
  throw new Error(`The work left ${lines.length} thing(s) behind:\n  ${lines.join("\n  ")}`);
}

function socketsLeft(before: ReadonlySet<string> | undefined): string[] {
  const now = openSockets();
  if (before === undefined || now === undefined || now.size <= before.size) return [];
  return [...now].filter((inode) => !before.has(inode)).map((inode) => `socket ${inode}`);
}

function heldBy(transport: Transport): string[] {
  const { inflight, limits, links } = transport.inspect();
  const held = {
    "slot(s) of a transport": inflight,
    "connection(s) of a transport": links.size,
    "handshake slot(s) of a transport": limits.admission.handshakes.used,
    "peer slot(s) of a transport": limits.admission.peers.connections,
    "byte(s) of a transport's budget": limits.budget.used,
  };
  return Object.entries(held).filter(([, n]) => n !== 0).map(([what, n]) => `${n} ${what}`);
}
