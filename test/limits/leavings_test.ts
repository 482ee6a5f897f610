/** I-G2: what connections leave behind for a slow consumer counts until it is taken. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ByteBudget, type Connection, Transport, TransportError } from "../../mod.ts";
import { encodeFrame, FLAGS, framed } from "../../src/oap/mod.ts";
import { MemoryNetwork } from "../../src/testing/mod.ts";
import { collector } from "../collector.ts";
import { describe, it } from "../harness.ts";
import { concat } from "../vectors.ts";
import { until } from "./sources.ts";

const MIB = 1_048_576;
const CONNECTIONS = 200;
/** What each of them sends: 50 frames of 1 000 bytes. */
const SENT = new Uint8Array(50_000);
for (let at = 0; at < SENT.length; at += 1_000) {
  const head = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
  SENT.set(encodeFrame({ ...head, payload: new Uint8Array(962) }), at);
}
/** More frames than may wait undelivered. */
const MANY = new Uint8Array(600 * 42);
for (let at = 0; at < MANY.length; at += 42) {
  const head = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
  MANY.set(encodeFrame({ ...head, payload: new Uint8Array(4) }), at);
}
/** A compressed frame that becomes eight times as large. */
const UNPACKED_BYTES = 38 + 6_000;
const PACKED = encodeFrame({
  ...{ flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n },
  payload: concat([
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50), // zstd, a window of 1 MiB
    block(0, 800), // as it is
    new Uint8Array(800),
    block(1, 5_200), // one byte, repeated
    Uint8Array.of(7, 1, 0, 0), // the last block, and nothing in it
  ]),
});
PACKED[7]! |= FLAGS.COMP;
const BAD = new Uint8Array(38).fill(255);

function block(type: number, size: number): Uint8Array {
  const bits = type << 1 | size << 3;
  return Uint8Array.of(bits & 255, bits >> 8 & 255, bits >> 16);
}

/** Takes all that a host has of a connection, long after it ended. Returns how much, in bytes. */
type Take = () => Promise<number>;

function takeFrames(connection: Connection): Take {
  const batches = framed(connection).batches();
  return async () => {
    let n = 0;
    for await (const batch of batches) for (const frame of batch) n += frame.len;
    return n;
  };
}

function takeBytes(connection: Connection): Take {
  return async () => {
    const into = new Uint8Array(10_000);
    for (let n = 0;;) {
      const some = await connection.read(into);
      if (some === null) return n;
      n += some;
    }
  };
}

/** `peers` clients open connections in turn that send and end, while the host takes nothing of them. */
async function endOver(how: "a fault" | "an end", peers: number, make: (c: Connection) => Take) {
  const runtime = new MemoryNetwork({ seed: 8 });
  const budget = new ByteBudget();
  const server = new Transport({}, { runtime, budget });
  const accepted: Connection[] = [];
  const takes: Take[] = [];
  const listener = await server.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection) => {
      accepted.push(connection);
      takes.push(make(connection));
      await connection.closed;
    },
  });
  const clients = Array.from(
    { length: peers },
    (_, i) => new Transport({}, { runtime: runtime.host(`10.0.0.${i + 1}`) }),
  );
  for (let i = 0; i < CONNECTIONS; i++) {
    const connection = await clients[i % peers]!.dial(listener.address);
    await connection.write(SENT);
    if (how === "a fault") await connection.write(BAD);
    await until("the bytes", () => server.counters().bytesIn >= (i + 1) * SENT.length);
    if (how === "an end") await Promise.all([accepted[i]!.close(), connection.close()]);
    await accepted[i]!.closed;
  }
  return {
    budget,
    takes,
    /** One more, whose host has only ended its side. Returns what it takes after the end. */
    one: async () => {
      const client = new Transport({}, { runtime: runtime.host("10.0.0.99") });
      clients.push(client);
      const connection = await client.dial(listener.address);
      await until("the connection", () => accepted.length > CONNECTIONS);
      const far = accepted[CONNECTIONS]!;
      far.closeWrite();
      await connection.write(SENT);
      await connection.close();
      await far.closed;
      return takes[CONNECTIONS]!;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await server.close();
      assert.deepEqual([budget.used, budget.leavings.bytes], [0, 0]);
    },
  };
}

describe("I-G2: what connections leave behind", () => {
  for (
    const [how, what, make, missed] of [
      ["a fault", "frames", takeFrames, "malformed"],
      ["an end", "frames", takeFrames, "busy"],
      ["an end", "bytes", takeBytes, "busy"],
    ] as const
  ) {
    it(`counts: ${what} before ${how}, of one peer over and over, are at most a sixteenth of the budget`, async () => {
      const { budget, takes, close } = await endOver(how, 1, make);
      assert.ok(budget.used <= 4 * MIB, `${budget.used} B of ${CONNECTIONS} connections`);
      assert.ok(budget.used > 3.9 * MIB, `${budget.used} B of ${CONNECTIONS} connections`);
      let whole = 0;
      let lost = 0;
      for (const take of takes) {
        const before = budget.used;
        const got = await take().catch((error: unknown) => error);
        if (got === SENT.length) whole++;
        else if (TransportError.is(got) && got.kind === missed) {
          if (budget.used === before) lost++; // else it is the fault, told after the frames before it
          else whole++;
        } else assert.fail(`neither all nor nothing: ${String(got)}`);
      }
      assert.equal(whole + lost, CONNECTIONS);
      const there = whole * SENT.length;
      assert.ok(there <= 4 * MIB && there > 3.8 * MIB, `${whole} of ${CONNECTIONS} are all there`);
      await close();
    });
  }

  it("counts for each peer by itself, and for all together a quarter of the budget", async () => {
    const { budget, takes, close } = await endOver("an end", 2, takeFrames);
    assert.ok(budget.used > 7.9 * MIB && budget.used <= 8 * MIB, `${budget.used} B of two peers`);
    let whole = 0;
    for (const take of takes) if (await take().catch(() => 0) === SENT.length) whole++;
    assert.equal(whole, 2 * Math.floor(4 * MIB / SENT.length));
    await close();
  });

  it("keeps what came with its end, though hosts that closed took nothing of all others", async () => {
    const { budget, takes, one, close } = await endOver("an end", 3, takeBytes);
    assert.ok(budget.used > 7.9 * MIB && budget.used <= 8 * MIB, `${budget.used} B of three peers`);
    const take = await one();
    assert.equal(await take(), SENT.length);
    for (const other of takes.slice(0, CONNECTIONS)) await other().catch(() => 0);
    await close();
  });

  for (const frames of [1, 50]) {
    for (const what of ["plain", "compressed"] as const) {
      for (const when of ["once it is over", "while it closes"] as const) {
        it(`gives what it left behind to a protocol that takes it over ${when}: ${frames} ${what} frames`, async () => {
          const runtime = new MemoryNetwork({ seed: 10 });
          const budget = new ByteBudget();
          const server = new Transport({}, { runtime, budget });
          const client = new Transport({}, { runtime: runtime.host("10.0.0.1") });
          let accepted: Connection | undefined;
          const listener = await server.listen({
            address: "tcp://127.0.0.1:0",
            onConnection: async (connection) => {
              accepted = connection;
              await connection.closed;
            },
          });
          const connection = await client.dial(listener.address);
          const sent = what === "plain"
            ? SENT.subarray(0, frames * 1_000)
            : concat(Array.from({ length: frames }, () => PACKED));
          await connection.write(sent);
          await until("the bytes", () => server.counters().bytesIn >= sent.length);
          const closing = accepted!.close();
          if (when === "once it is over") {
            await Promise.all([closing, connection.close()]);
            assert.ok(budget.leavings.bytes >= sent.length);
          }
          const take = takeFrames(accepted!);
          void connection.close();
          assert.equal(await take(), frames * (what === "plain" ? 1_000 : UNPACKED_BYTES));
          await closing;
          assert.deepEqual([budget.used, budget.leavings.bytes], [0, 0]);
          await client.close();
          await server.close();
        });
      }
    }
  }

  it("counts no more when the host lets go of connections whose bytes were not all decoded", async () => {
    const collect = await collector();
    const runtime = new MemoryNetwork({ seed: 9 });
    const budget = new ByteBudget();
    const server = new Transport({}, { runtime, budget });
    const client = new Transport({}, { runtime: runtime.host("10.0.0.1") });
    const accepted: Connection[] = [];
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        accepted.push(connection);
        framed(connection).batches();
        await connection.closed;
      },
    });
    for (let i = 0; i < 10; i++) {
      const { bytesIn } = server.counters();
      const connection = await client.dial(listener.address);
      await connection.write(MANY);
      await until(
        "more frames than may wait",
        () => server.counters().bytesIn > bytesIn + 512 * 42,
      );
      await Promise.all([accepted.pop()!.close(), connection.close()]);
    }
    assert.ok(budget.used > 0);
    for (let i = 0; i < 100 && budget.used > 0; i++) {
      collect();
      await delay(10);
    }
    assert.deepEqual([budget.used, budget.leavings.bytes], [0, 0]);
    await client.close();
    await server.close();
  });
});
