/** I-G3, I-G4: connections that always end, and a readiness that says so. */
import assert from "node:assert/strict";
import { type Connection, readinessResponse, Transport, TransportError } from "../../../mod.ts";
import { encodeFrame, FLAGS, framed } from "../../../src/oap/mod.ts";
import { ManualClock, MemoryNetwork } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

interface Ends {
  readonly clock: ManualClock;
  readonly server: Transport;
  readonly client: Transport;
  readonly near: Connection;
  readonly far: Connection;
}

async function ends(): Promise<Ends> {
  const clock = new ManualClock();
  const runtime = new MemoryNetwork({ seed: 11 });
  const server = new Transport({}, { clock, runtime });
  const client = new Transport({}, { clock, runtime });
  const accepted: Connection[] = [];
  const listener = await server.listen({
    onConnection: async (connection) => {
      accepted.push(connection);
      await connection.closed;
    },
  });
  const near = await client.dial(listener.address);
  await settled();
  return { clock, server, client, near, far: accepted[0]! };
}

describe("a ping", () => {
  it("keeps a peer that answers, and asks only one that is silent", async () => {
    const { clock, server, client, near, far } = await ends();
    const pinging = framed(near, { ping: { intervalMs: 1_000, timeoutMs: 500 } });
    const answering = framed(far);
    answering.onBatch(() => {});
    pinging.onBatch(() => {});
    for (let i = 0; i < 200; i++) {
      clock.advance(1_000);
      await settled();
    }
    assert.ok(answering.counters.hello >= 90, `asked ${answering.counters.hello} times`);
    const asked = answering.counters.hello;
    for (let i = 0; i < 20; i++) {
      answering.trySend({
        flags: FLAGS.EVENT,
        code: 0,
        appProtoId: 1,
        tenantId: 0n,
        corrId: BigInt(i),
        payload: new Uint8Array(1),
      });
      await settled();
      clock.advance(1_000);
      await settled();
    }
    assert.ok(answering.counters.hello - asked <= 1, "what comes is a sign of life");
    assert.equal(client.counters().inflight, 1, "it is never idle");
    await client.close();
    await server.close();
    assert.equal(clock.pending, 0);
  });

  it("breaks off a peer that is gone, at its deadline", async () => {
    const { clock, server, client, near } = await ends();
    const pinging = framed(near, { ping: { intervalMs: 1_000, timeoutMs: 500 } });
    // The other end is raw: it takes the bytes and never answers.
    clock.advance(1_000);
    await settled();
    clock.advance(499);
    await settled();
    assert.equal(client.counters().inflight, 1);
    clock.advance(2);
    const reason = await pinging.closed;
    assert.equal(reason.kind, "timeout");
    assert.equal(reason.error?.op, "request");
    await settled();
    await server.close();
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("is due by the last byte, whenever that came", async () => {
    const { clock, server, client, near, far } = await ends();
    const pinging = framed(near, { ping: { intervalMs: 1_000, timeoutMs: 500 } });
    pinging.onBatch(() => {});
    clock.advance(10);
    await settled();
    await far.write(encodeFrame({
      flags: FLAGS.EVENT,
      code: 0,
      appProtoId: 1,
      tenantId: 0n,
      corrId: 1n,
      payload: new Uint8Array(1),
    }));
    await settled();
    const lastByte = clock.now();
    let over = false;
    void pinging.closed.then(() => over = true);
    while (!over) {
      clock.advance(10);
      await settled();
    }
    const ms = clock.now() - lastByte;
    assert.ok(ms >= 1_500 && ms <= 1_800, `given up ${ms} ms after its last byte`);
    await server.close();
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("asks nobody while its own consumer is behind, as no answer could be seen", async () => {
    const { clock, server, client, near, far } = await ends();
    const pinging = framed(near, { ping: { intervalMs: 1_000, timeoutMs: 500 } });
    const answering = framed(far);
    answering.onBatch(() => {});
    const event = { flags: FLAGS.EVENT, code: 0, appProtoId: 1, tenantId: 0n, corrId: 1n };
    const sending = (async () => {
      for (let i = 0; i < 1_000; i++) {
        await answering.send({ ...event, payload: new Uint8Array(200) });
      }
    })();
    for (let i = 0; i < 50; i++) await settled();
    assert.equal(pinging.counters.pauses, 1);
    for (let i = 0; i < 12; i++) {
      clock.advance(250);
      await settled();
    }
    assert.equal(client.counters().inflight, 1, "it is not given up");
    assert.equal(answering.counters.hello, 0);
    const batches = pinging.batches();
    for (let got = 0; got < 1_000;) got += (await batches.next()).value!.length;
    await sending;
    for (let i = 0; i < 12; i++) {
      clock.advance(250);
      await settled();
    }
    assert.ok(answering.counters.hello > 0, "it is asked again");
    assert.equal(client.counters().inflight, 1);
    await client.close();
    await server.close();
    assert.equal(clock.pending, 0);
  });

  it("says which time is wrong", async () => {
    const { server, client, near } = await ends();
    for (const ms of [0, -1, 1.5, NaN, 2 ** 31]) {
      assert.throws(
        () => framed(near, { ping: { intervalMs: ms, timeoutMs: 1 } }),
        (error: unknown) =>
          TransportError.is(error) &&
          (error.kind === "config_invalid" || error.kind === "misuse"),
      );
    }
    await client.close();
    await server.close();
  });
});

describe("a transport", () => {
  it("closes with its signal, and leaves no listener on it", async () => {
    const runtime = new MemoryNetwork();
    const controller = new AbortController();
    const server = new Transport({}, { runtime, signal: controller.signal });
    const listener = await server.listen({
      onConnection: (connection) => connection.closed.then(),
    });
    const client = new Transport({}, { runtime });
    const connection = await client.dial(listener.address);
    controller.abort();
    assert.equal((await connection.closed).kind, "io_closed");
    assert.deepEqual(server.readiness, { state: "NotReady", reason: "draining" });
    await client.close();
    const late = new Transport({}, { runtime, signal: controller.signal });
    assert.deepEqual(late.readiness, { state: "NotReady", reason: "draining" });
  });

  it("settles all that wait on 1 000 connections before it closes a socket", async () => {
    const clock = new ManualClock();
    const runtime = new MemoryNetwork();
    const config = { max_conns: 2_000, per_peer: { max_conns: 0 } };
    const server = new Transport(config, { clock, runtime });
    const client = new Transport(config, { clock, runtime });
    const listener = await server.listen({
      onConnection: (connection) => connection.closed.then(),
    });
    const connections = await Promise.all(
      Array.from({ length: 1_000 }, () => client.dial(listener.address)),
    );
    const waits = connections.map((connection) =>
      connection.read(new Uint8Array(1)).then(
        () => "read",
        (error: TransportError) => error.kind,
      )
    );
    const closing = client.close();
    assert.deepEqual(new Set(await Promise.all(waits)), new Set(["io_closed"]));
    const reasons = await Promise.all(connections.map((connection) => connection.closed));
    assert.ok(reasons.every((reason) => reason.kind === "aborted"));
    while (clock.pending > 0) {
      clock.advance(1);
      await settled();
    }
    await closing;
    await settled();
    assert.equal(client.counters().inflight, 0);
    const stopped = server.close();
    while (clock.pending > 0) {
      clock.advance(1);
      await settled();
    }
    await stopped;
    assert.equal(server.counters().inflight, 0);
  });

  it("I-G4: is NotReady while the module cannot be kept alive, and Ready a minute after", async () => {
    const clock = new ManualClock();
    const runtime = new MemoryNetwork();
    const seen: string[] = [];
    const server = new Transport({}, {
      clock,
      runtime,
      onReadiness: ({ to }) => seen.push(to.state === "Ready" ? "Ready" : to.reason),
    });
    const listener = await server.listen({
      onConnection: async (connection) => {
        connection.attach((carrier) => ({
          push: () => {
            carrier.fail(
              new TransportError("internal", "a trap", { op: "decode", origin: "library" }),
            );
            return { retained: 0, owed: 0, completed: 0, pause: false };
          },
          end() {},
          closed() {},
        }));
        await connection.closed;
      },
    });
    const client = new Transport({}, { clock, runtime });
    const trap = async (): Promise<void> => {
      const connection = await client.dial(listener.address);
      await connection.write(new Uint8Array(1));
      await connection.closed;
    };
    for (let i = 0; i < 3; i++) await trap();
    assert.deepEqual(seen, ["Ready"], "three a minute are survived");
    await trap();
    assert.deepEqual(seen, ["Ready", "internal"]);
    await assert.rejects(client.dial(listener.address), { kind: "io_closed" });
    assert.equal(server.counters().accepts, 4);
    clock.advance(60_000);
    assert.deepEqual(seen, ["Ready", "internal", "Ready"]);
    await client.dial(listener.address);
    await client.close();
    await server.close();
    assert.deepEqual(seen, ["Ready", "internal", "Ready", "draining"]);
    assert.equal(clock.pending, 0);
  });
});

describe("a readiness probe", () => {
  it("I-14: is answered as a host needs it", async () => {
    const answer = async (response: Response) => [response.status, await response.json()];
    assert.deepEqual(await answer(readinessResponse({ state: "Ready" })), [200, { ready: true }]);
    assert.deepEqual(
      await answer(readinessResponse({ state: "NotReady", reason: "draining" })),
      [503, { ready: false, reason: "draining" }],
    );
    const degraded = readinessResponse({ state: "Degraded", reason: "arti_bootstrap" });
    assert.equal(degraded.headers.get("retry-after"), "5");
    assert.deepEqual(await answer(degraded), [503, { degraded: true, reason: "arti_bootstrap" }]);
  });
});
