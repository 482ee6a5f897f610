/**
 * The honest client: the library, in a process and from an address of its own. It asks all the time
 * and keeps count, whatever happens beside it.
 *
 * Requests start by the clock and not after the last answer, so that a stall is seen by every request
 * that falls into it.
 *
 * @module
 */

import { Transport, TransportError } from "../../../mod.ts";
import { FLAGS, framed, type FramedConnection } from "../../../src/oap/mod.ts";
import { type Percentiles, percentiles } from "./percentiles.ts";
import { serveCommands, uncaught } from "./program.ts";
import { APP, DOCUMENT_BYTES, HONEST_SOURCE } from "./protocol.ts";
import { SourceRuntime } from "./source_runtime.ts";

/** What it does. */
export interface HonestOptions {
  readonly port: number;
  readonly ca?: string;
  /** Milliseconds between requests on the connection that stays. */
  readonly everyMs: number;
  /** Milliseconds between connections that are dialled, asked once and closed; 0: none. */
  readonly dialEveryMs: number;
  /** Milliseconds between echoes of a 1 MiB frame; 0: none. */
  readonly bigEveryMs: number;
  /** Milliseconds after which an answer is too late. */
  readonly patienceMs: number;
}

/** Operations of one sort since the last report. */
export interface HonestCount extends Percentiles {
  readonly ok: number;
  readonly failed: number;
}

/** What came of it since the last report. */
export interface HonestReport {
  /** Requests on the connection that stays. */
  readonly requests: HonestCount;
  /** Dial, request, answer and orderly close. */
  readonly dials: HonestCount;
  /** 1 MiB there and back. */
  readonly big: HonestCount;
  /** How late its own timers were, in milliseconds: what the machine, not the server, is to blame for. */
  readonly late: Percentiles;
  /** Failures by kind; `untyped` for anything that is no {@linkcode TransportError}. */
  readonly failures: Readonly<Record<string, number>>;
  readonly uncaught: readonly string[];
}

class Tally {
  #times: number[] = [];
  #failed = 0;

  async run(operation: () => Promise<void>): Promise<void> {
    const start = performance.now();
    try {
      await operation();
      this.#times.push(performance.now() - start);
    } catch (error) {
      this.#failed++;
      const kind = TransportError.is(error) ? `${error.kind}/${error.op}` : "untyped";
      failures.set(kind, (failures.get(kind) ?? 0) + 1);
      if (kind === "untyped") uncaught.push(`honest client: ${String(error)}`);
    }
  }

  report(): HonestCount {
    const report = { ok: this.#times.length, failed: this.#failed, ...percentiles(this.#times) };
    this.#times = [];
    this.#failed = 0;
    return report;
  }
}

const failures = new Map<string, number>();
const tallies = { requests: new Tally(), dials: new Tally(), big: new Tally() };
const transport = new Transport({ bind_addr: null }, { runtime: new SourceRuntime(HONEST_SOURCE) });
const small = new Uint8Array(1_024).fill(1);
const large = new Uint8Array(DOCUMENT_BYTES).fill(2);
const timers: ReturnType<typeof setInterval>[] = [];
let late: number[] = [];
let due = 0;
const pending = new Set<Promise<void>>();
let ids = 0n;
let paused = false;
let stays: Promise<FramedConnection> | undefined;
let bigStays: Promise<FramedConnection> | undefined;

async function ask(peer: FramedConnection, payload: Uint8Array, timeoutMs: number): Promise<void> {
  const head = { flags: FLAGS.REQ, code: 0, appProtoId: APP.echo, tenantId: 0n, corrId: ++ids };
  const reply = await peer.request({ ...head, payload }, { timeoutMs });
  if (reply.code !== 200 || reply.payload.length !== payload.length) {
    throw new TransportError("internal", `answer ${reply.code}`, { op: "answer" });
  }
}

function lateness(ms: number): void {
  const now = performance.now();
  if (due > 0) late.push(Math.max(0, now - due));
  due = now + ms;
}

/** Dials again after a fault, as a host would; the failed request counts all the same. */
function start(options: HonestOptions): Promise<void> {
  const tls = options.ca === undefined ? {} : { tls: { ca: options.ca } };
  const address = `${options.ca === undefined ? "tcp" : "tls"}://127.0.0.1:${options.port}`;
  const dial = async (): Promise<FramedConnection> => framed(await transport.dial(address, tls));
  const every = (ms: number, operation: () => Promise<void>): void => {
    if (ms === 0) return;
    timers.push(setInterval(() => {
      if (paused) return;
      if (ms === options.everyMs) lateness(ms);
      const one = operation().finally(() => pending.delete(one));
      pending.add(one);
    }, ms));
  };
  every(options.everyMs, () =>
    tallies.requests.run(async () => {
      const mine = stays ??= dial();
      try {
        await ask(await mine, small, options.patienceMs);
      } catch (error) {
        const peer = await mine.catch(() => undefined);
        if (stays === mine && TransportError.is(error) && error.kind !== "busy") {
          stays = undefined;
          void peer?.close();
        }
        throw error;
      }
    }));
  every(options.dialEveryMs, () =>
    tallies.dials.run(async () => {
      const peer = await dial();
      await ask(peer, small, options.patienceMs).finally(() => peer.close());
    }));
  every(options.bigEveryMs, () =>
    tallies.big.run(async () => {
      const mine = bigStays ??= dial();
      try {
        await ask(await mine, large, 2 * options.patienceMs);
      } catch (error) {
        if (bigStays === mine) bigStays = undefined;
        void mine.then((peer) => peer.close(), () => {});
        throw error;
      }
    }));
  return Promise.resolve();
}

function report(): HonestReport {
  const { requests, dials, big } = tallies;
  const all = {
    requests: requests.report(),
    dials: dials.report(),
    big: big.report(),
    late: percentiles(late),
    failures: Object.fromEntries(failures),
    uncaught,
  };
  late = [];
  due = 0;
  failures.clear();
  return all;
}

/** Starts nothing new, and waits for what is in flight. */
async function pause(): Promise<void> {
  paused = true;
  await Promise.all([...pending]);
}

function resume(): void {
  paused = false;
}

/** Connections that stay open. */
function staying(): number {
  return transport.counters().inflight;
}

/** Stops asking, waits for what is in flight, and closes. */
async function stop(): Promise<void> {
  for (const timer of timers.splice(0)) clearInterval(timer);
  await Promise.all([...pending]);
  await transport.drain();
}

await serveCommands({ start, report, pause, resume, stays: staying, stop });
