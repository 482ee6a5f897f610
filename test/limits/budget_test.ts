/** I-G2: the byte budget end to end, on sockets and on the memory network. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ByteBudget, type Connection, Transport, type TransportHooks } from "../../mod.ts";
import { FLOOR_BYTES, OUT_FLOOR_BYTES } from "../../src/limits/byte_account.ts";
import { encodeFrame, FLAGS, type Frame, framed } from "../../src/oap/mod.ts";
import { MemoryNetwork } from "../../src/testing/mod.ts";
import { SourceRuntime } from "../attack/rig/source_runtime.ts";
import { describe, it } from "../harness.ts";
import { dialFrom, EXACT, FULL, type RawClient, source, until } from "./sources.ts";

const MIB = 1_048_576;

const event = (size: number, id = 1): Frame => ({
  flags: FLAGS.EVENT,
  code: 0,
  appProtoId: 7,
  tenantId: 0n,
  corrId: BigInt(id),
  payload: new Uint8Array(size),
});

/** All but the end of a frame of 1 MiB. */
const STALLED = encodeFrame(event(MIB - 38)).slice(0, Math.floor(MIB * 0.99));

/** Within which an honest frame passes: most of them, as others use the machine too, and all with RON_FULL=1. */
const PASS_MS = 2_000;
/** Within which one passes at all, or it never would: then its connection is about to be cut off. */
const PATIENCE_MS = EXACT ? PASS_MS : 30_000;

describe("I-G2: byte budget on sockets", () => {
  const count = FULL ? 1_000 : 90;

  it(`${count} stalled frames at 99 % from eight sources: an honest one of 1 MiB passes within 2 s`, async () => {
    const budget = new ByteBudget();
    const closed: string[] = [];
    const server = new Transport(
      { max_conns: 2_048, read_timeout: "60s", idle_timeout: "5m" },
      { budget, onConnectionClosed: ({ reason }) => closed.push(reason.kind) },
    );
    let got = 0;
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        framed(connection).onBatch((batch) => got += batch.length);
        await connection.closed;
      },
    });
    const clients: RawClient[] = [];
    const client = new Transport({ write_timeout: "60s" }, {
      runtime: new SourceRuntime(source(20)),
    });
    try {
      for (let i = 0; i < count; i++) {
        const one = await dialFrom(listener.address, source(i % 8));
        one.socket.write(STALLED);
        clients.push(one);
      }
      // about three quarters: the last is for those who hold no more than one frame
      const full = (): boolean => budget.used >= 45 * MIB && budget.waiting > 0;
      await until("a full budget, and some who wait", full, PATIENCE_MS);
      // What is reserved is still on its way then, and this process has to receive all of it, too.
      const came = (): number => server.counters().bytesIn;
      for (let before = -1; came() > before; await delay(100)) before = came();
      const honest = framed(await client.dial(listener.address));
      const took: number[] = [];
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        await honest.send(event(MIB - 38, i));
        await until("the honest frame", () => got === i + 1, PATIENCE_MS);
        took.push(performance.now() - start);
        assert.ok(full() && budget.used <= budget.bytes, `${budget.used} B, others still stalled`);
      }
      const inTime = took.filter((ms) => ms < PASS_MS).length;
      assert.ok(inTime >= (EXACT ? 5 : 3), `the honest frames took ${took.map(Math.round)} ms`);
      assert.deepEqual(closed, []);
    } finally {
      for (const { socket } of clients) socket.destroy();
      await client.close();
      await server.close();
    }
    await until("nothing held", () => budget.used === 0);
    assert.equal(budget.waiting, 0);
  });

  it("a connection dialled by name counts towards the peer that it reached", async () => {
    const budget = new ByteBudget();
    await using client = new Transport({}, { budget });
    await using server = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => void await connection.closed, // reads nothing
    });
    const { port } = listener.address;
    const hosts = ["127.0.0.1", "localhost", "127.0.0.1", "localhost", "localhost"];
    for (const host of hosts) {
      const end = framed(await client.dial(`tcp://${host}:${port}`));
      for (let i = 0; i < 20; i++) {
        try {
          end.trySend(event(MIB - 38, i));
        } catch {
          break; // its inbox is full, or the share of the peer
        }
        await delay(1); // what the kernel takes
      }
    }
    // an eighth of the pool, and not one more for each name
    assert.ok(budget.used > 4 * MIB && budget.used <= 8 * MIB, `${budget.used} B are to be sent`);
    await client.close();
    assert.equal(budget.used, 0);
  });

  it("two ends that send large frames to each other do not wait for each other for ever", async () => {
    const [frames, conns] = [8, 8];
    const faults: string[] = [];
    const hooks: TransportHooks = {
      onConnectionClosed: ({ reason }) => {
        if (reason.error !== undefined) faults.push(reason.error.message);
      },
    };
    // A deadlock would end with the write deadline, or out of patience: not a machine that is busy.
    await using near = new Transport({ write_timeout: "60s" }, hooks);
    await using far = new Transport({ write_timeout: "60s" }, hooks);
    let got = 0;
    const talk = async (connection: Connection): Promise<void> => {
      const end = framed(connection);
      end.onBatch((batch) => got += batch.length);
      await Promise.all(Array.from({ length: frames }, () => end.send(event(MIB - 38))));
    };
    const listener = await far.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        await talk(connection);
        await connection.closed;
      },
    });
    const all = await Promise.all(
      Array.from({ length: conns }, () => near.dial(listener.address)),
    );
    await Promise.all(all.map(talk));
    await until("all frames", () => got === 2 * frames * conns, 30_000);
    assert.deepEqual(faults, []);
    await near.close();
    await far.close();
  });
});

describe("byte budget on the memory network", () => {
  /** A server of which one peer has used up its share with stalled frames. */
  async function crowded(onConnection: (connection: Connection) => Promise<void>) {
    const runtime = new MemoryNetwork({ seed: 3 });
    const budget = new ByteBudget(16 * MIB);
    const faults: string[] = [];
    const server = new Transport({}, {
      runtime,
      budget,
      onConnectionClosed: ({ reason }) => void (reason.error && faults.push(reason.error.message)),
    });
    const listener = await server.listen({ address: "tcp://127.0.0.1:0", onConnection });
    const client = new Transport({}, { runtime });
    for (let i = 0; i < 6; i++) {
      const stalled = await client.dial(listener.address);
      stalled.write(STALLED).catch(() => {}); // broken off at the end
    }
    await until("a full share", () => budget.used === 4 * MIB);
    const close = async (): Promise<void> => {
      await client.close();
      await server.close();
      assert.deepEqual([budget.used, budget.waiting], [0, 0]);
    };
    const left = async (): Promise<void> => {
      await client.close(); // where the test failed before
      await server.close();
    };
    return { client, listener, budget, faults, close, [Symbol.asyncDispose]: left };
  }

  for (const size of [0, 1, 20_000, 65_536]) {
    it(`frames of ${size} B of the same peer pass, to a slow consumer too, and hold no more than the floor`, async () => {
      const frames = size < 1_000 ? 200 : 60;
      let got = 0;
      await using rig = await crowded(async (connection) => {
        for await (const batch of framed(connection).batches()) {
          got += batch.length;
          await delay(1);
        }
      });
      const end = framed(await rig.client.dial(rig.listener.address));
      for (let i = 0; i < frames; i++) {
        await end.send(event(size, i));
        assert.ok(rig.budget.used <= 4 * MIB, `${rig.budget.used} B of the pool`);
      }
      await until(`${frames} frames`, () => got === frames);
      assert.deepEqual(rig.faults, []);
      await rig.close();
    });
  }

  it("a consumer that never takes anything holds at most the floor, and loses nothing", async () => {
    const runtime = new MemoryNetwork({ seed: 4 });
    const budget = new ByteBudget();
    await using server = new Transport({}, { runtime, budget });
    let taken: (() => Promise<number>) | undefined;
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        const batches = framed(connection).batches()[Symbol.asyncIterator]();
        taken = async () => (await batches.next()).value?.length ?? 0;
        await connection.closed;
      },
    });
    await using client = new Transport({}, { runtime });
    const end = framed(await client.dial(listener.address));
    const sends = Array.from({ length: 100 }, (_, i) => end.send(event(20_000, i)));
    await delay(50);
    assert.ok(budget.used === 0, `${budget.used} B beyond the floors of ${FLOOR_BYTES}`);
    let got = 0;
    while (got < 100) got += await taken!();
    await Promise.all(sends);
    await client.close();
    await server.close();
  });

  it("a connection that is broken off leaves nothing behind that its slow consumer would hold", async () => {
    const runtime = new MemoryNetwork({ seed: 5 });
    await using server = new Transport({}, { runtime });
    const ends: Promise<string>[] = [];
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: (connection) => {
        const batches = framed(connection).batches()[Symbol.asyncIterator]();
        const first = async (): Promise<string> => {
          await connection.closed; // it is slow
          return await batches.next().then(({ done }) => done ? "end" : "frames", () => "error");
        };
        ends.push(first());
        return ends.at(-1)!.then(() => {});
      },
    });
    await using client = new Transport({}, { runtime });
    for (const how of ["reset", "fault"] as const) {
      const connection = await client.dial(listener.address);
      await connection.write(encodeFrame(event(1_000)));
      await connection.write(encodeFrame(event(1_000)));
      if (how === "fault") await connection.write(new Uint8Array(38).fill(255));
      await delay(5);
      connection.abort();
    }
    // what came before a fault in the bytes is delivered before the fault is told
    assert.deepEqual(await Promise.all(ends), ["error", "frames"]);
    await client.close();
    await server.close();
  });

  it("raw bytes that nobody has read go with a connection that is broken off", async () => {
    const runtime = new MemoryNetwork({ seed: 6 });
    await using server = new Transport({}, { runtime });
    const accepted: Connection[] = [];
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        accepted.push(connection);
        await connection.closed;
      },
    });
    await using client = new Transport({}, { runtime });
    const connection = await client.dial(listener.address);
    await connection.write(new Uint8Array(1_000));
    await delay(5);
    connection.abort();
    await accepted[0]!.closed;
    await assert.rejects(accepted[0]!.read(new Uint8Array(10)), { kind: "io_closed" });
    await client.close();
    await server.close();
  });

  it("answers within the outgoing floor go out, however full the pool is", async () => {
    await using rig = await crowded(async (connection) => {
      const end = framed(connection);
      for await (const batch of end.batches()) {
        for (const frame of batch) {
          if (frame.payloadBytes > 100) continue;
          end.trySend(event(OUT_FLOOR_BYTES - 38, Number(frame.corrId)));
        }
      }
    });
    const end = framed(await rig.client.dial(rig.listener.address));
    let got = 0;
    end.onBatch((batch) => got += batch.length);
    for (let i = 1; i <= 20; i++) {
      await end.send(event(10, i));
      await until("the answer", () => got === i);
    }
    assert.deepEqual(rig.faults, []);
    await rig.close();
  });
});
