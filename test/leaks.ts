/**
 * What a test may leave behind, counted in a way that works on Deno, Bun and Node alike.
 *
 * Sockets are counted as descriptors (Linux), timers by wrapping the global functions, because
 * timers that do not hold the process (all of ours) show up in no list of a runtime, and abort
 * listeners on signals made by {@linkcode countedSignal}.
 *
 * @module
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** What is open now; see {@linkcode takeCensus}. */
export interface Census {
  /** Inodes of open sockets. Empty where there is no /proc. */
  readonly sockets: ReadonlySet<string>;
  /** Ids of pending timers. */
  readonly timers: ReadonlySet<number>;
  /** Abort listeners that are still registered on counted signals. */
  readonly listeners: number;
}

const timers = new Map<number, string>();
const ids = new WeakMap<object, number>();
const numeric = new Map<number, number>();
let nextId = 1;

function remember(handle: unknown, what: string): void {
  const id = nextId++;
  timers.set(id, `${what} made ${caller()}`);
  if (typeof handle === "object" && handle !== null) ids.set(handle, id);
  // Node and Bun also accept the handle's number in clearTimeout
  numeric.set(Number(handle), id);
}

function forget(handle: unknown): void {
  const id = typeof handle === "object" && handle !== null
    ? ids.get(handle)
    : numeric.get(Number(handle));
  if (id !== undefined) timers.delete(id);
}

function caller(): string {
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  const line = lines.find((l) => !/[/\\]leaks\.[tj]s/.test(l));
  return line === undefined ? "at an unknown place" : line.trim();
}

type SetTimer = (
  callback: (...args: unknown[]) => void,
  ms?: number,
  ...rest: unknown[]
) => unknown;

function wrapTimers(): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  const wrapSet = (name: "setTimeout" | "setInterval", once: boolean): void => {
    const original = scope[name] as SetTimer;
    const wrapped: SetTimer = (callback, ms, ...rest) => {
      const fire = (...args: unknown[]): void => {
        if (once) forget(handle);
        callback(...args);
      };
      const handle = original(fire, ms, ...rest);
      remember(handle, `${name}(${ms ?? 0} ms)`);
      return handle;
    };
    // keeps util.promisify.custom and the like
    scope[name] = Object.assign(wrapped, original);
  };
  const wrapClear = (name: "clearTimeout" | "clearInterval"): void => {
    const original = scope[name] as (handle: unknown) => void;
    scope[name] = (handle: unknown): void => {
      forget(handle);
      original(handle);
    };
  };
  wrapSet("setTimeout", true);
  wrapSet("setInterval", false);
  wrapClear("clearTimeout");
  wrapClear("clearInterval");
}

wrapTimers();

function openSockets(): Set<string> {
  const inodes = new Set<string>();
  let entries: string[];
  try {
    entries = readdirSync("/proc/self/fd");
  } catch (error) {
    if (process.platform !== "linux") return inodes; // only timers and listeners are checked
    throw new Error("the leak check cannot list /proc/self/fd: run `deno test --allow-all`", {
      cause: error,
    });
  }
  for (const fd of entries) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith("socket:")) inodes.add(target.slice(8, -1));
    } catch {
      // closed since the listing, as the listing's own descriptor is
    }
  }
  return inodes;
}

/** An abort controller whose signal's listeners are counted. */
export interface CountedSignal {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  /** Listeners registered and not yet removed, fired once or released by the abort. */
  listeners(): number;
}

/**
 * Makes a signal that knows its listeners. After each test every one must be gone.
 *
 * @returns The controller, its signal and the count.
 */
export function countedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const held = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as typeof signal.addEventListener;
  const remove = signal.removeEventListener.bind(signal) as typeof signal.removeEventListener;
  Object.defineProperties(signal, {
    addEventListener: {
      value: (...args: Parameters<typeof add>): void => {
        if (args[0] === "abort" && !signal.aborted) held.add(args[1]);
        add(...args);
      },
    },
    removeEventListener: {
      value: (...args: Parameters<typeof remove>): void => {
        held.delete(args[1]);
        remove(...args);
      },
    },
  });
  add("abort", () => held.clear(), { once: true });
  const result: CountedSignal = { controller, signal, listeners: () => held.size };
  alive.add(result);
  return result;
}

/** Holds this test's signals, so that a collected one cannot hide a listener. */
const alive = new Set<CountedSignal>();

/** Counts what is open now. */
export function takeCensus(): Census {
  let listeners = 0;
  for (const one of alive) listeners += one.listeners();
  return { sockets: openSockets(), timers: new Set(timers.keys()), listeners };
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
  for (const id of now.timers) {
    if (!before.timers.has(id)) lines.push(timers.get(id) ?? "a timer");
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
    await delay(ms);
    left = leaksSince(before);
    if (left.length === 0) break;
  }
  alive.clear();
  if (left.length > 0) {
    throw new Error(`"${what}" left ${left.length} thing(s) open:\n  ${left.join("\n  ")}`);
  }
}
