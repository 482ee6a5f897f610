/** A transport on a real Tor network: bootstrap, streams by exits and to onion services, limits, ends. */
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import {
  type Connection,
  type Listener,
  type LogRecord,
  type ReadinessTransition,
  Transport,
} from "../../mod.ts";
import { createMetrics } from "../../src/metrics/mod.ts";
import { FLAGS, framed, type FrameHead } from "../../src/oap/mod.ts";
import { deferred } from "../../src/deferred.ts";
import { throwAwayCertificate } from "../../src/testing/mod.ts";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { after, before, describe, it, runtimeName } from "../harness.ts";
import {
  delay,
  dialled,
  noTor,
  onTor,
  pattern,
  ready,
  readyOnTor,
  receive,
  refusal,
} from "./transports.ts";

const MIB = 1_048_576;
const skip = noTor;

/** Arti keeps connections to relays open from one test to the next. */
const leaks = false;

const HEAD: FrameHead = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };

/** Answers each request with its own payload. */
function echoFrames(connection: Connection): Promise<void> {
  const peer = framed(connection);
  peer.onBatch((batch) =>
    batch.forEach((view) => {
      const frame = view.toFrame();
      void peer.send({ ...frame, flags: FLAGS.RESP, code: 200 }).catch(() => {});
    })
  );
  return peer.closed.then(() => {});
}

/** Sends 1 MiB in eight frames at once, and compares what comes back. */
async function echoed(connection: Connection): Promise<number> {
  const peer = framed(connection);
  const bytes = pattern(MIB);
  const start = performance.now();
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    const payload = bytes.subarray(i * 131_072, (i + 1) * 131_072);
    const { code, payload: back } = await peer.request({ ...HEAD, corrId: BigInt(i + 1), payload });
    assertEquals([code, back.length], [200, payload.length]);
    assert(back.every((byte, at) => byte === payload[at]), `other bytes in frame ${i}`);
  }));
  const ms = performance.now() - start;
  await peer.close();
  return ms;
}

describe("transport on tor", () => {
  let server: Transport;
  let client: Transport;
  let listener: Listener;

  before(async () => {
    if (skip !== false) return;
    server = onTor();
    client = onTor({ bind_addr: null });
    listener = await server.listen({ onConnection: echoFrames });
    await ready(client);
  });
  after(async () => {
    await client?.close();
    await server?.close();
  });

  it("is Degraded, then Ready once, within 1 s of its bootstrap", { skip, leaks }, async () => {
    const seen: [string, number][] = [];
    let done = Infinity;
    const transport = onTor({ bind_addr: null }, {
      onReadiness: ({ to }: ReadinessTransition) => seen.push([to.state, performance.now()]),
      onBootstrap: ({ ready }) => done = ready ? Math.min(done, performance.now()) : done,
    });
    const early = await refusal(transport.dial(listener.address));
    assertEquals(early.kind, "arti_bootstrap");
    assertEquals(transport.counters().rejected.arti_bootstrap, 1);
    await ready(transport);
    await delay(50);
    assertEquals(seen.map(([state]) => state), ["Degraded", "Ready"]);
    assert(Math.abs(seen[1]![1] - done) < 1_000, `${seen[1]![1] - done} ms behind`);
    await transport.close();
  });

  it("echoes 1 MiB in frames by an exit", { skip, leaks }, async () => {
    await using outside = new Transport();
    const target = await outside.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: echoFrames,
    });
    const { hostname, port } = target.address;
    const ms = await echoed(await dialled(client, { hostname: hostname!, port: port! }));
    console.log(`figure ${runtimeName()} transport-exit-MiB/s ${(1_000 / ms).toFixed(2)}`);
  });

  it("echoes 1 MiB in frames to an onion service", { skip, leaks }, async () => {
    const ms = await echoed(await dialled(client, listener.address));
    console.log(`figure ${runtimeName()} transport-onion-MiB/s ${(1_000 / ms).toFixed(2)}`);
  });

  it("carries 40 connections at a time", { skip, leaks, timeout: 120_000 }, async () => {
    await Promise.all(Array.from({ length: 40 }, async (_, i) => {
      const peer = framed(await dialled(client, listener.address));
      const payload = pattern(20_000 + i);
      const answer = await peer.request({ ...HEAD, payload });
      assertEquals(answer.payload.length, payload.length);
      await peer.close();
    }));
  });

  it("puts TLS over streams, hybrid where the runtime can", { skip, leaks }, async () => {
    const { cert, key } = await throwAwayCertificate({ names: ["localhost"] });
    const tls = { enabled: true };
    const pq = runtimeName() === "bun" ? { pq: { mode: "hybrid" as const } } : {};
    const secured = onTor({ tls, ...pq });
    const own = await secured.listen({ tls: () => ({ cert, key }), onConnection: echoFrames });
    const dialler = await readyOnTor({ tls, ...pq });
    const connection = await dialled(dialler, own.address, {
      tls: { ca: cert, serverName: "localhost" },
    });
    assertEquals(connection.info.backend, "arti");
    assertEquals(connection.info.tls?.version, "TLSv1.3");
    if (runtimeName() === "bun") assertEquals(connection.info.tls?.pq, "hybrid");
    await echoed(connection);
    await dialler.drain();
    await secured.drain();
  });

  it("paces, and lets in no more than it may", { skip, leaks, timeout: 120_000 }, async () => {
    const bounded = onTor({
      max_conns: 3,
      per_peer: { max_conns: 2 },
      rates: { per_conn_bytes_per_sec: "128KiB" },
    });
    const got: number[] = [];
    const own = await bounded.listen({
      onConnection: async (c) => void got.push((await receive(c, 262_144)).length),
    });
    // The streams of one client to one service share a circuit: the third is one peer's too many.
    const near = await Promise.all([dialled(client, own.address), dialled(client, own.address)]);
    for (const connection of near) await connection.write(new Uint8Array(1));
    const third = await dialled(client, own.address).then(
      (c) => c.read(new Uint8Array(1)).catch(() => null),
      () => null,
    );
    assertEquals(third, null);
    assertEquals(bounded.counters().rejected.peer_limit, 1);
    const start = performance.now();
    await near[0]!.write(new Uint8Array(262_143));
    while (got.length === 0) await delay(10);
    const took = performance.now() - start;
    assert(took > 1_200, `256 KiB at 128 KiB/s in ${took} ms`);
    await near[0]!.close();
    await near[1]!.close();
    // Others come by circuits of their own, as many as max_conns.
    const others = await Promise.all([readyOnTor(), readyOnTor(), readyOnTor()]);
    while (bounded.counters().inflight > 0) await delay(10);
    const let_in = await Promise.all(others.map((other) => dialled(other, own.address)));
    for (const connection of let_in) await connection.write(new Uint8Array(1));
    const full = await dialled(client, own.address).then(
      (c) => c.read(new Uint8Array(1)).catch(() => null),
      () => null,
    );
    assertEquals(full, null);
    assertEquals(bounded.counters().rejected.peer_limit, 2);
    await Promise.all([...others, bounded].map((transport) => transport.close()));
  });

  it("drains without the loss of a byte", { skip, leaks }, async () => {
    const draining = onTor();
    const written = deferred<void>();
    const own = await draining.listen({
      onConnection: async (c) => {
        await receive(c, 1);
        await c.write(pattern(MIB));
        written.resolve();
      },
    });
    const near = await dialled(client, own.address);
    await near.write(new Uint8Array(1));
    const reading = receive(near, 2 * MIB);
    await written.promise;
    await draining.drain(20_000);
    const got = await reading;
    assertEquals(got.length, MIB);
    const wanted = pattern(MIB);
    assert(got.every((byte, i) => byte === wanted[i]));
    await near.close();
    assertEquals((await near.closed).kind, "closed");
  });

  it("aborts all within 100 ms, and leaves nothing in memory", { skip, leaks }, async () => {
    const place = mkdtempSync("/dev/shm/ron-transports-");
    const mine = (): number => readdirSync(place).length;
    const config = { arti: { state_path: place } };
    const own = onTor(config);
    const held = await own.listen({ onConnection: (c) => c.closed.then(() => {}) });
    const dialler = await readyOnTor(config);
    assertEquals(mine(), 2, "each client has a directory");
    const all = await Promise.all(Array.from({ length: 20 }, () => dialled(dialler, held.address)));
    const reads = all.map((c) => c.read(new Uint8Array(1)).catch(() => performance.now()));
    await delay(20);
    const start = performance.now();
    const closing = dialler.close();
    const settled = Math.max(...(await Promise.all(reads)).map(Number)) - start;
    await closing;
    const closed = performance.now() - start;
    console.log(`figure ${runtimeName()} transport-close-ms ${closed.toFixed(2)}`);
    assert(settled <= 100, `reads settled after ${settled} ms`);
    await own.close();
    assertEquals(mine(), 0);
    rmdirSync(place);
  });

  it("counts under backend arti, and tells nobody's address", { skip, leaks }, async () => {
    const records: LogRecord[] = [];
    const hooks = { logger: (record: LogRecord): void => void records.push(record) };
    const own = onTor({ log: { level: "trace" } }, hooks);
    const said = await own.listen({ onConnection: (c) => c.write(new Uint8Array(5)) });
    const dialler = await readyOnTor({ log: { level: "trace" } }, hooks);
    const near = await dialled(dialler, said.address);
    assertEquals((await receive(near, 10)).length, 5);
    await near.close();
    const canary = `${"canary".repeat(9)}ab.onion`;
    for (const target of [`${canary}:80`, "canary.invalid:80", `127.0.0.1:1`]) {
      await refusal(dialler.dial(target));
    }
    const metrics = createMetrics();
    metrics.watch(own);
    metrics.watch(dialler);
    const text = await metrics.text();
    assertMatch(text, /^transport_accepts_total\{backend="arti"\} 1$/m);
    assertMatch(text, /^transport_dials_total\{backend="arti",result="ok",pq="off"\} 1$/m);
    await dialler.close();
    await own.close();
    const log = JSON.stringify(records);
    assert(records.length > 5);
    for (const secret of ["canary", said.address.hostname!.slice(0, 20), "127.0.0.1"]) {
      assert(!log.includes(secret), `${secret} in ${log}`);
    }
  });
});
