/**
 * Mutates inputs, keeps those that do something new, and shortens those that break something.
 *
 * There is no instrumentation, which no runtime offers to the others: what an input did is what its target
 * says about it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { random } from "../../src/testing/random.ts";
import type { FuzzTarget } from "./target.ts";

/** An input that breaks something. */
export interface Finding {
  readonly target: string;
  /** Shortened as far as it went. */
  readonly input: Uint8Array;
  readonly message: string;
}

/** What a run came to. */
export interface FuzzOutcome {
  readonly target: string;
  readonly seed: number;
  readonly executions: number;
  /** Different behaviours seen. */
  readonly behaviours: number;
  readonly findings: readonly Finding[];
  /** Longest time of one input, in milliseconds, run again to be sure. */
  readonly slowestMs: number;
}

/** How to run. */
export interface FuzzOptions {
  readonly seed: number;
  /** Kept inputs, run first. */
  readonly corpus?: readonly Uint8Array[];
  /** Whether to go on, asked before each input. */
  readonly goOn: (executions: number) => boolean;
}

/** Nothing that parses may take a turn longer than this. */
const SLOW_MS = 50;
/** Most inputs that are built upon, and most findings of one run. */
const POOL = 4_096;
const FINDINGS = 16;
const SHORTENINGS = 400;

/**
 * Runs a target on mutated inputs. The same seed gives the same inputs.
 *
 * @param target What to run.
 * @param options Seed, corpus, and when to stop.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzOutcome> {
  const draw = random(options.seed);
  const pool: Uint8Array[] = [...target.seeds, ...options.corpus ?? []]
    .map((one) => one.slice(0, target.most));
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const messages = new Set<string>();
  const slow = target.slowMs ?? SLOW_MS;
  let slowestMs = 0;
  let executions = 0;
  const note = async (input: Uint8Array, message: string): Promise<void> => {
    const kind = message.slice(0, 120).replace(/\d+/g, "0");
    if (messages.has(kind) || findings.length >= FINDINGS) return;
    messages.add(kind);
    const shorter = await shorten(target, input, kind);
    findings.push({ target: target.name, input: shorter, message });
  };
  const one = async (input: Uint8Array): Promise<void> => {
    executions++;
    const start = performance.now();
    const { behaviour, failure } = await attempt(target, input);
    let ms = performance.now() - start;
    if (failure !== undefined) return await note(input, failure);
    // twice more, as another process may have had the processor
    for (let i = 0; i < 2 && ms > slow; i++) ms = Math.min(ms, await timed(target, input));
    slowestMs = Math.max(slowestMs, ms);
    if (ms > slow) await note(input, `slow: more than ${slow} ms for ${input.length} bytes`);
    if (seen.has(behaviour)) return;
    seen.add(behaviour);
    if (pool.length < POOL) pool.push(input);
  };
  for (const input of [...pool]) await one(input);
  while (options.goOn(executions) && findings.length < FINDINGS) {
    await one(mutated(target, pool, draw));
    // lets timers, signals and the sockets of a target have their turn
    if (executions % 256 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  const { name } = target;
  const sums = { executions, behaviours: seen.size, findings, slowestMs };
  return { target: name, seed: options.seed, ...sums };
}

/** The name that a finding's file has. */
export function fileNameOf(input: Uint8Array): string {
  return `${createHash("sha256").update(input).digest("hex").slice(0, 16)}.bin`;
}

interface Ran {
  readonly behaviour: string;
  readonly failure?: string;
}

async function attempt(target: FuzzTarget, input: Uint8Array): Promise<Ran> {
  try {
    const result = target.run(input.slice());
    return { behaviour: typeof result === "string" ? result : await result };
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { behaviour: "", failure };
  }
}

async function timed(target: FuzzTarget, input: Uint8Array): Promise<number> {
  const start = performance.now();
  await attempt(target, input);
  return performance.now() - start;
}

/** Cuts pieces out, halves first, as long as the same thing breaks. */
async function shorten(target: FuzzTarget, input: Uint8Array, kind: string): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  for (let size = best.length >> 1; size >= 1; size = size >> 1) {
    for (let at = 0; at + size <= best.length && tries < SHORTENINGS;) {
      tries++;
      const shorter = without(best, at, size);
      const { failure } = await attempt(target, shorter);
      if (failure?.slice(0, 120).replace(/\d+/g, "0") === kind) best = shorter;
      else at += size;
    }
  }
  return best;
}

function without(bytes: Uint8Array, at: number, size: number): Uint8Array {
  const rest = new Uint8Array(bytes.length - size);
  rest.set(bytes.subarray(0, at));
  rest.set(bytes.subarray(at + size), at);
  return rest;
}

/** Numbers at which lengths and counts go wrong. */
const EDGES: readonly number[] = [
  ...[0, 1, 37, 38, 39, 127, 128, 255, 256, 4_096, 32_767, 65_535, 65_536],
  ...[1_048_575, 1_048_576, 1_048_577, 0x7fffffff, 0x80000000, 0xffffffff],
];

type Draw = () => number;

function mutated(target: FuzzTarget, pool: readonly Uint8Array[], draw: Draw): Uint8Array {
  const below = (n: number): number => Math.floor(draw() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  let bytes = pick(pool).slice();
  for (let times = 1 + below(5); times > 0; times--) {
    bytes = once(bytes, target, pool, below, pick).slice(0, target.most);
  }
  return bytes;
}

function once(
  bytes: Uint8Array,
  { tokens }: FuzzTarget,
  pool: readonly Uint8Array[],
  below: (n: number) => number,
  pick: <T>(from: readonly T[]) => T,
): Uint8Array {
  const at = below(bytes.length + 1);
  switch (below(9)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << below(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = below(256);
      return bytes;
    case 2: {
      const width = pick([1, 2, 4]);
      if (at + width > bytes.length) return bytes;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const edge = pick(EDGES);
      if (width === 4) view.setUint32(at, edge, below(2) === 0);
      else if (width === 2) view.setUint16(at, edge, below(2) === 0);
      else bytes[at] = edge;
      return bytes;
    }
    case 3:
      return without(bytes, Math.min(at, bytes.length), below(bytes.length - at + 1));
    case 4:
      return bytes.slice(0, at);
    case 5:
      return inserted(bytes, at, bytes.subarray(at, at + below(64)));
    case 6:
      return tokens.length === 0 ? bytes : inserted(bytes, at, pick(tokens));
    case 7: {
      const other = pick(pool);
      return inserted(bytes.slice(0, at), at, other.subarray(below(other.length + 1)));
    }
    default:
      return inserted(bytes, at, new Uint8Array(below(200)).fill(below(256)));
  }
}

function inserted(bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + piece.length);
  all.set(bytes.subarray(0, at));
  all.set(piece, at);
  all.set(bytes.subarray(at), at + piece.length);
  return all;
}
