/**
 * The library as a client whose connections are cut, or that is stopped while it holds some.
 *
 * @module
 */

import { Transport, TransportError } from "../../../mod.ts";
import { FLAGS, framed, type FramedConnection } from "../../../src/oap/mod.ts";
import { serveCommands, uncaught } from "./program.ts";
import { APP } from "./protocol.ts";

/** Where to dial. */
export interface DialerOptions {
  readonly port: number;
  readonly ca?: string;
  readonly count: number;
  readonly atOnce?: number;
}

/** How the sessions ended. */
export interface DialerReport {
  /** Sessions that went through. */
  readonly complete: number;
  /** Sessions that ended with an error of the library, by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Errors of no kind, and sessions that did not end. Each one is a fault. */
  readonly faults: readonly string[];
  /** Connections that still hold a slot. */
  readonly inflight: number;
  readonly uncaught: readonly string[];
}

const SESSION_MS = 20_000;
const transport = new Transport({ bind_addr: null, max_conns: 4_096, per_peer: { max_conns: 0 } });
const held: FramedConnection[] = [];

async function dial({ port, ca }: DialerOptions): Promise<FramedConnection> {
  const scheme = ca === undefined ? "tcp" : "tls";
  const tls = ca === undefined ? {} : { tls: { ca } };
  return framed(await transport.dial(`${scheme}://127.0.0.1:${port}`, tls));
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < 3; n++) yield new Uint8Array(20).fill(n);
}

/** HELLO, a request, a stream of three chunks, another request, an orderly close. */
async function session(options: DialerOptions): Promise<void> {
  const peer = await dial(options);
  try {
    await peer.hello("attack");
    const head = { flags: FLAGS.REQ, code: 0, appProtoId: APP.echo, tenantId: 1n };
    await peer.request({ ...head, corrId: 1n, payload: new Uint8Array(100) });
    await peer.sendStream(chunks(), { ...head, flags: FLAGS.EVENT, corrId: 2n });
    await peer.request({ ...head, corrId: 3n, payload: new Uint8Array(10) });
  } finally {
    await peer.close();
  }
  const { error } = await peer.closed;
  if (error !== undefined) throw error;
}

async function run(options: DialerOptions): Promise<DialerReport> {
  const kinds: Record<string, number> = {};
  const faults: string[] = [];
  let complete = 0;
  let left = options.count;
  const one = async (): Promise<void> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("a session did not end")), SESSION_MS);
    });
    try {
      await Promise.race([session(options), late]);
      complete++;
    } catch (error) {
      if (TransportError.is(error)) kinds[error.kind] = (kinds[error.kind] ?? 0) + 1;
      else faults.push(String(error));
    } finally {
      clearTimeout(timer);
    }
  };
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: options.atOnce ?? 1 }, worker));
  const until = performance.now() + 2_000;
  while (transport.counters().inflight > 0 && performance.now() < until) {
    await new Promise((next) => setTimeout(next, 10));
  }
  return { complete, kinds, faults, inflight: transport.counters().inflight, uncaught };
}

/** Opens connections and keeps them: half of them idle, half with replies on their way. */
async function hold(options: DialerOptions): Promise<void> {
  for (let i = 0; i < options.count; i++) {
    const peer = await dial(options);
    peer.onBatch(() => {});
    held.push(peer);
  }
}

/** Asks for documents on every second connection that is held, and does not wait for them. */
function ask(requests: number): void {
  const head = { flags: FLAGS.REQ, code: 0, appProtoId: APP.document, tenantId: 0n };
  held.forEach((peer, i) => {
    if (i % 2 === 0) return;
    for (let n = 0; n < requests; n++) {
      peer.trySend({ ...head, corrId: BigInt(n), payload: new Uint8Array(0) });
    }
  });
}

/** What became of requests that were asked without end. */
export interface LoadReport extends Pick<DialerReport, "kinds" | "faults" | "uncaught"> {
  readonly asked: number;
  readonly answered: number;
  /** Requests answered 503: they came after the drain had begun. */
  readonly turnedAway: number;
}

/** Keeps `inFlight` slow requests on each of `count` connections, until the server ends them all. */
async function load(options: DialerOptions & { inFlight: number }): Promise<LoadReport> {
  const kinds: Record<string, number> = {};
  const faults: string[] = [];
  let asked = 0;
  let answered = 0;
  let turnedAway = 0;
  const keepAsking = async (peer: FramedConnection, lane: number): Promise<void> => {
    const head = { flags: FLAGS.REQ, code: 0, appProtoId: APP.slow, tenantId: BigInt(lane) };
    for (let n = 0n, open = true; open; n++) {
      asked++;
      try {
        const wait = Number((n + BigInt(lane)) % 30n) + 5; // tens of milliseconds
        const reply = await peer.request({ ...head, corrId: n, payload: Uint8Array.of(wait) });
        if (reply.code === 503) turnedAway++;
        else answered++;
      } catch (error) {
        open = false;
        if (TransportError.is(error)) kinds[error.kind] = (kinds[error.kind] ?? 0) + 1;
        else faults.push(String(error));
      }
    }
  };
  const lanes: Promise<void>[] = [];
  for (let i = 0; i < options.count; i++) {
    const peer = await dial(options);
    const asking = Array.from({ length: options.inFlight }, (_, lane) => keepAsking(peer, lane));
    lanes.push(Promise.all(asking).then(() => peer.close()));
  }
  await Promise.all(lanes);
  return { asked, answered, turnedAway, kinds, faults, uncaught };
}

await serveCommands({ run, hold, ask, load });
