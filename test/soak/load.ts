/**
 * The load of a soak: small requests on connections that stay, streams, connections that come and go,
 * connections that are silent, and some that send nonsense; half of each over TLS.
 *
 * @module
 */

import { connect } from "node:net";
import { Transport, TransportError } from "../../mod.ts";
import { FLAGS, framed, type FramedConnection } from "../../src/oap/mod.ts";
import { serveCommands, uncaught } from "../attack/rig/program.ts";
import { percentiles } from "../attack/rig/percentiles.ts";
import type { SoakTarget } from "./server.ts";

/** How much there is of each. */
export interface SoakLoad {
  readonly target: SoakTarget;
  /** Connections that stay and ask, half of them over TLS. */
  readonly connections: number;
  /** Requests of 4 KiB each second, on all of them. */
  readonly rate: number;
  /** Streams of 1 MiB each second. */
  readonly streams: number;
  /** Connections each second that are dialled, asked once and closed. */
  readonly dials: number;
  /** Connections that stay silent. */
  readonly silent: number;
}

/** What came of it since the last report. */
export interface SoakReport {
  readonly ok: number;
  readonly failed: number;
  readonly nonsense: number;
  readonly p50: number;
  readonly p99: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly uncaught: readonly string[];
}

const STREAM_BYTES = 1_048_576;
const small = new Uint8Array(4_096).fill(1);
const chunk = new Uint8Array(65_536).fill(2);
const client = new Transport({ idle_timeout: "10m" });
const timers: ReturnType<typeof setInterval>[] = [];
const pending = new Set<Promise<void>>();
const failures = new Map<string, number>();
let times: number[] = [];
let [ok, failed, nonsense, ids, turn] = [0, 0, 0, 0n, 0];

async function dial({ tcp, tls, ca }: SoakTarget): Promise<FramedConnection> {
  const secure = turn++ % 2 === 0;
  const address = secure ? `tls://127.0.0.1:${tls}` : `tcp://127.0.0.1:${tcp}`;
  return framed(await client.dial(address, secure ? { tls: { ca } } : {}));
}

async function ask(peer: FramedConnection): Promise<void> {
  const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
  const head = { flags, code: 0, appProtoId: 1, tenantId: 0n, corrId: ++ids };
  const answer = await peer.request({ ...head, payload: small });
  if (answer.payload.length !== small.length) throw new TypeError("an answer of another size");
}

/** A stream, whose answer comes at its end. */
async function stream(peer: FramedConnection): Promise<void> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < STREAM_BYTES; sent += chunk.length) yield chunk;
  };
  const answered = (async () => {
    for await (const frame of peer.frames()) if ((frame.flags & FLAGS.RESP) !== 0) return;
    throw new TypeError("a stream without an answer");
  })();
  await peer.sendStream(pieces(), {
    ...{ flags: FLAGS.REQ, code: 0, appProtoId: 1, tenantId: 0n, corrId: ++ids },
  });
  await answered;
}

async function counted(work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  try {
    await work();
    times.push(performance.now() - start);
    ok++;
  } catch (error) {
    failed++;
    const kind = TransportError.is(error) ? `${error.kind}/${error.op}` : String(error);
    failures.set(kind, (failures.get(kind) ?? 0) + 1);
  }
}

function every(perSecond: number, work: () => Promise<void>): void {
  if (perSecond === 0) return;
  timers.push(setInterval(() => {
    if (pending.size > 500) return; // the machine is behind: no more than that at once
    const one = counted(work).finally(() => pending.delete(one));
    pending.add(one);
  }, 1_000 / perSecond));
}

/** Bytes that are no frame: the server breaks off. */
function nonsenseTo(port: number): void {
  const socket = connect(
    { host: "127.0.0.1", port },
    () => socket.write(new Uint8Array(64).fill(255)),
  );
  socket.on("error", () => {}).on("close", () => nonsense++).resume();
}

async function start(load: SoakLoad): Promise<void> {
  const { target } = load;
  const stay: FramedConnection[] = [];
  for (let i = 0; i < load.connections; i++) stay.push(await dial(target));
  for (let i = 0; i < load.silent; i++) await dial(target);
  let next = 0;
  every(load.rate, () => ask(stay[next++ % stay.length]!));
  every(load.dials, async () => {
    const peer = await dial(target);
    await ask(peer).finally(() => peer.close());
  });
  every(load.streams, async () => {
    const peer = await dial(target);
    await stream(peer).finally(() => peer.close());
  });
  timers.push(setInterval(() => nonsenseTo(target.tcp), 1_000));
}

function report(): SoakReport {
  const { p50, p99 } = percentiles(times);
  const all = { ok, failed, nonsense, p50, p99, failures: Object.fromEntries(failures), uncaught };
  times = [];
  failures.clear();
  [ok, failed, nonsense] = [0, 0, 0];
  return all;
}

async function stop(): Promise<void> {
  for (const timer of timers.splice(0)) clearInterval(timer);
  await Promise.all([...pending]);
  await client.drain();
}

await serveCommands({ start, report, stop });
