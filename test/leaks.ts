/**
 * What a test may leave behind, counted in a way that works on Deno, Bun and Node alike.
 *
 * Sockets are counted as descriptors (Linux), timers by wrapping the global functions, because
 * timers that do not hold the process (all of ours) show up in no list of a runtime, and abort
 * listeners on signals made by {@linkcode countedSignal}.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { openSockets } from "../src/runtime/host_descriptors.ts";
import {
  type CountedSignal,
  countedSignal as countedSignalOf,
} from "../src/testing/counted_signal.ts";
import { watchTimers } from "../src/testing/timer_watch.ts";

export type { CountedSignal };

/** What is open now; see {@linkcode takeCensus}. */
export interface Census {
  /** Inodes of open sockets. Empty where there is no /proc. */
  readonly sockets: ReadonlySet<string>;
  /** Handles of pending timers. */
  readonly timers: ReadonlySet<unknown>;
  /** Abort listeners that are still registered on counted signals. */
  readonly listeners: number;
}

/** For as long as the process runs, as timers of one test can outlive it. */
const timers = watchTimers();

/**
 * Makes a signal that knows its listeners. After each test every one must be gone.
 *
 * @returns The controller, its signal and the count.
 */
export function countedSignal(): CountedSignal {
  const result = countedSignalOf();
  alive.add(result);
  return result;
}

/** Holds this test's signals, so that a collected one cannot hide a listener. */
const alive = new Set<CountedSignal>();

/** Counts what is open now. */
export function takeCensus(): Census {
  let listeners = 0;
  for (const one of alive) listeners += one.listeners();
  return { sockets: socketsNow(), timers: new Set(timers.waiting.keys()), listeners };
}

function socketsNow(): ReadonlySet<string> {
  const sockets = openSockets();
  if (sockets !== undefined) return sockets;
  if (process.platform !== "linux") return new Set(); // only timers and listeners are checked
  throw new Error("the leak check cannot list /proc/self/fd: run `deno test --allow-all`");
}

function address(hex: string): string {
  const [host = "", port = ""] = hex.split(":");
  const bytes = host.length === 8 ? (host.match(/../g) ?? []).reverse() : [];
  const name = bytes.length === 4 ? bytes.map((b) => parseInt(b, 16)).join(".") : "[v6]";
  return `${name}:${parseInt(port, 16)}`;
}

function describeSocket(inode: string): string {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    try {
      const rows = readFileSync(table, "utf8").split("\n").map((row) => row.trim().split(/\s+/));
      const row = rows.find((r) => r[9] === inode);
      if (row?.[1] === undefined || row[2] === undefined) continue;
      const state = row[3] === "0A" ? "listening" : `to ${address(row[2])}`;
      return `socket ${address(row[1])} ${state}`;
    } catch {
      // no such table
    }
  }
  return `socket ${inode} (not TCP: Unix socket or pipe)`;
}

/**
 * Lists what is open now and was not at the time of a census. Empty: nothing leaked.
 *
 * @param before The census to compare with.
 * @returns One line for each leaked thing.
 */
export function leaksSince(before: Census): string[] {
  const now = takeCensus();
  const lines: string[] = [];
  if (now.sockets.size > before.sockets.size) {
    for (const inode of now.sockets) {
      if (!before.sockets.has(inode)) lines.push(describeSocket(inode));
    }
  }
  for (const [handle, line] of timers.waiting) {
    if (!before.timers.has(handle)) lines.push(line);
  }
  if (now.listeners > before.listeners) {
    lines.push(`${now.listeners - before.listeners} abort listener(s) on a counted signal`);
  }
  return lines;
}

const RETRY_MS: readonly number[] = [0, 5, 20, 50, 100, 200, 400, 800, 1_600];

/**
 * Waits, in growing steps of 3.2 s in all, until nothing is left of what a test opened.
 *
 * @param before The census taken before the test.
 * @param what The test's name, for the message.
 */
export async function assertNoLeaks(before: Census, what: string): Promise<void> {
  let left: string[] = [];
  for (const ms of RETRY_MS) {
    await timers.pause(ms);
    left = leaksSince(before);
    if (left.length === 0) break;
  }
  alive.clear();
  if (left.length > 0) {
    throw new Error(`"${what}" left ${left.length} thing(s) open:\n  ${left.join("\n  ")}`);
  }
}
