/**
 * The attacked server: the library as a host would use it, in a process of its own.
 *
 * @module
 */

import process from "node:process";
import {
  type ConfigSnapshot,
  type Connection,
  type Readiness,
  Transport,
  type TransportConfig,
  type TransportCounters,
} from "../../../mod.ts";
import {
  FLAGS,
  framed,
  type FramedConnection,
  type FrameView,
  type PingOptions,
} from "../../../src/oap/mod.ts";
import { throwAwayCertificate } from "../../../src/testing/certificate.ts";
import { type Held, measure } from "./memory.ts";
import { serveCommands, uncaught } from "./program.ts";
import { APP, DOCUMENT_BYTES } from "./protocol.ts";

/** How to start it. */
export interface ServerOptions {
  readonly config: TransportConfig;
  readonly tls?: boolean;
  /** Pings silent peers. */
  readonly ping?: PingOptions;
}

/** Where it is. */
export interface ServerReady {
  readonly port: number;
  /** The root to trust, with TLS. */
  readonly ca?: string;
  readonly config: ConfigSnapshot;
  readonly runtime: string;
}

/** Payload of one address: how much, and from when to when, in milliseconds. */
export interface Received {
  bytes: number;
  first: number;
  last: number;
}

/** A change of readiness, and how many connections had been closed by then. */
export interface Changed {
  readonly to: Readiness;
  readonly closed: number;
}

/** What it has seen. */
export interface ServerStats {
  readonly memory: Held;
  readonly counters: TransportCounters;
  /** Closed connections by the kind of their reason. */
  readonly closes: Readonly<Record<string, number>>;
  /** Requests answered 429 by the library, and frames dropped behind them. */
  readonly refused: number;
  readonly dropped: number;
  /** Requests that reached the application and were never answered, as it was asked to. */
  readonly held: number;
  /** Requests that reached the application, those included. */
  readonly started: number;
  /** Most requests of one connection in the application's hands at once. */
  readonly mostAtOnce: number;
  /** Payload that reached the application since the last time, by the peer's address. */
  readonly received: Readonly<Record<string, Received>>;
  /** Answers that came too late: their connection was closed. */
  readonly lost: number;
  /**
   * Longest time that its event loop stood still since the last time, in milliseconds, and the most
   * processor time that it took in one such stretch: the difference went to other processes.
   */
  readonly stoodStillMs: number;
  readonly burstMs: number;
  /** Microseconds of processor time since the start. */
  readonly cpuMicros: number;
  readonly readiness: readonly Changed[];
  readonly uncaught: readonly string[];
}

const document = new Uint8Array(DOCUMENT_BYTES).fill(0x55);
const closes = new Map<string, number>();
const received = new Map<string, Received>();
const open = new Set<FramedConnection>();
const readiness: Changed[] = [];
const sums = { refused: 0, dropped: 0, held: 0, started: 0, mostAtOnce: 0, lost: 0, closed: 0 };
let transport: Transport | undefined;
let stoodStill = 0;
let burst = 0;

function answer(
  peer: FramedConnection,
  frame: Pick<FrameView, "appProtoId" | "tenantId" | "corrId">,
  payload: Uint8Array,
): void {
  const { appProtoId, tenantId, corrId } = frame;
  // Without room the answer is dropped: the peer does not read.
  const head = { flags: FLAGS.RESP, code: 200, appProtoId, tenantId, corrId };
  try {
    peer.trySend({ ...head, payload });
  } catch {
    // the transport counts it as busy
  }
}

/** What the application remembers of a connection. */
interface Session {
  readonly streams: Set<bigint>;
  running: number;
}

/** Whether a frame begins a request, and does not continue or end one. */
function begins({ streams }: Session, { flags, corrId }: FrameView): boolean {
  const start = (flags & FLAGS.START) !== 0;
  const end = (flags & FLAGS.END) !== 0;
  if (start && !end) streams.add(corrId);
  if (end && !start) streams.delete(corrId);
  return start || !end && !streams.has(corrId);
}

/** One request of the peer, by the application it names; see {@linkcode APP}. */
function handle(peer: FramedConnection, frame: FrameView, session: Session): void {
  sums.started++;
  session.running++;
  sums.mostAtOnce = Math.max(sums.mostAtOnce, session.running);
  if (frame.appProtoId === APP.hold) return void sums.held++;
  if (frame.appProtoId === APP.slow) {
    const { tenantId, corrId } = frame;
    const ms = frame.copyPayload()[0] ?? 0;
    setTimeout(() => {
      session.running--;
      if (!open.has(peer)) sums.lost++;
      else answer(peer, { appProtoId: APP.slow, tenantId, corrId }, document.subarray(0, 64));
    }, ms * 10);
    return;
  }
  session.running--;
  if (frame.appProtoId === APP.document) answer(peer, frame, document);
  else if (frame.appProtoId === APP.copy) answer(peer, frame, document.slice());
  else answer(peer, frame, frame.payload);
}

function note(from: string, bytes: number): void {
  const now = performance.now();
  const sum = received.get(from) ?? { bytes: 0, first: now, last: now };
  sum.bytes += bytes;
  sum.last = now;
  received.set(from, sum);
}

async function serve(connection: Connection, ping: PingOptions | undefined): Promise<void> {
  const peer = framed(connection, ping === undefined ? {} : { ping });
  const from = connection.info.remote?.hostname ?? "unknown";
  const session: Session = { streams: new Set(), running: 0 };
  open.add(peer);
  peer.onBatch((batch) =>
    batch.forEach((frame) => {
      note(from, frame.payloadBytes);
      if ((frame.flags & FLAGS.REQ) !== 0 && begins(session, frame)) handle(peer, frame, session);
    })
  );
  await peer.closed;
  open.delete(peer);
  sums.refused += peer.counters.refused;
  sums.dropped += peer.counters.dropped;
}

async function start(options: ServerOptions): Promise<ServerReady> {
  transport = new Transport(options.config, {
    onReadiness: ({ to }) => readiness.push({ to, closed: sums.closed }),
    onConnectionClosed: ({ reason: { kind } }) => {
      sums.closed++;
      closes.set(kind, (closes.get(kind) ?? 0) + 1);
    },
  });
  const certificate = options.tls === true ? await throwAwayCertificate() : undefined;
  const listener = await transport.listen({
    address: `${certificate === undefined ? "tcp" : "tls"}://127.0.0.1:0`,
    ...(certificate === undefined ? {} : { tls: () => certificate }),
    onConnection: (connection) => serve(connection, options.ping),
  });
  const { versions } = process;
  return {
    port: listener.address.port ?? 0,
    ...(certificate === undefined ? {} : { ca: certificate.cert }),
    config: transport.config,
    runtime: versions["bun"] !== undefined
      ? `Bun ${versions["bun"]}`
      : versions["deno"] !== undefined
      ? `Deno ${versions["deno"]}`
      : `Node ${versions.node}`,
  };
}

async function stats(): Promise<ServerStats> {
  let { refused, dropped } = sums;
  for (const { counters } of open) {
    refused += counters.refused;
    dropped += counters.dropped;
  }
  const { user, system } = process.cpuUsage();
  const since = Object.fromEntries(received);
  received.clear();
  const stalls = { stoodStillMs: stoodStill, burstMs: burst };
  const memory = await measure();
  stoodStill = burst = 0; // the collections are not the attack's
  return {
    memory,
    ...stalls,
    counters: transport!.counters(),
    closes: Object.fromEntries(closes),
    refused,
    dropped,
    held: sums.held,
    started: sums.started,
    mostAtOnce: sums.mostAtOnce,
    received: since,
    lost: sums.lost,
    cpuMicros: user + system,
    readiness,
    uncaught,
  };
}

const TICK_MS = 20;
let ticked = performance.now();
let worked = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(worked);
  stoodStill = Math.max(stoodStill, now - ticked - TICK_MS);
  burst = Math.max(burst, (user + system) / 1_000);
  ticked = now;
  worked = process.cpuUsage();
}, TICK_MS);

// As a host would: the first signal drains, and what is then left open does not hold the process.
process.once("SIGTERM", () => {
  void transport?.drain().then(async () => {
    console.log(JSON.stringify({ ok: await stats() }));
    process.exit(uncaught.length === 0 ? 0 : 1);
  });
});

await serveCommands({
  start,
  stats,
  inflight: () => transport!.counters().inflight,
  close: () => transport!.close(),
});
