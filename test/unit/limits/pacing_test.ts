/** What our own pacing must not do: run a deadline against the peer, or give a slot back too early. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, Transport } from "../../../mod.ts";
import { BlockPool } from "../../../src/block_pool.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { TransportError } from "../../../src/errors.ts";
import { Intake } from "../../../src/intake.ts";
import { Pacer } from "../../../src/limits/pacer.ts";
import { LinkClocks } from "../../../src/link_clocks.ts";
import type { SinkReport } from "../../../src/sink.ts";
import { ManualClock, MemoryNetwork } from "../../../src/testing/mod.ts";
import { Writer } from "../../../src/writer.ts";
import { describe, it } from "../../harness.ts";

const report = (part: Partial<SinkReport>): SinkReport => ({
  retained: 10,
  owed: 0,
  completed: 0,
  pause: false,
  ...part,
});

/** Clocks of an open connection, and the deadlines that passed. */
function clocks(): { clock: ManualClock; clocks: LinkClocks; expired: string[] } {
  const clock = new ManualClock();
  const config = parseConfig({});
  const expired: string[] = [];
  const made = new LinkClocks(clock, () => config, { onExpire: (name) => expired.push(name) });
  made.opening(5_000);
  made.open();
  return { clock, clocks: made, expired };
}

describe("clocks of a paced connection", () => {
  it("run no deadline while bytes are held for their pace", () => {
    const { clock, clocks: c, expired } = clocks();
    c.received(report({ owed: 100 }));
    c.paced(true);
    clock.advance(1_000_000);
    assert.deepEqual(expired, []);
    c.close();
  });

  it("give a frame the time that it had left, and the read clock anew", () => {
    const { clock, clocks: c, expired } = clocks();
    c.received(report({ owed: 100 }));
    for (let s = 0; s < 56; s += 4) { // the frame's 60 s run, the read clock restarts
      clock.advance(4_000);
      c.received(report({ owed: 100 }));
    }
    c.paced(true);
    clock.advance(500_000);
    c.paced(false);
    clock.advance(3_900);
    assert.deepEqual(expired, []);
    clock.advance(200);
    assert.deepEqual(expired, ["frame"]);
    c.close();
  });

  it("begin the read clock when a frame's rest is awaited again", () => {
    const { clock, clocks: c, expired } = clocks();
    c.paced(true);
    c.received(report({ owed: 100 }));
    c.paced(false);
    clock.advance(4_999);
    assert.deepEqual(expired, []);
    clock.advance(2);
    assert.deepEqual(expired, ["read"]);
    c.close();
  });

  it("run none either while our own consumer is behind when the pace ends", () => {
    const { clock, clocks: c, expired } = clocks();
    c.paced(true);
    c.received(report({ owed: 100 }));
    c.received(report({ owed: 100, completed: 1, pause: true }));
    c.paced(false);
    clock.advance(1_000_000);
    c.paced(true);
    c.paced(false);
    clock.advance(1_000_000);
    assert.deepEqual(expired, []);
    c.resumed(100);
    clock.advance(5_001);
    assert.deepEqual(expired, ["read"]);
    c.close();
  });

  it("let a frame that waits for memory have its own time only", () => {
    const { clock, clocks: c, expired } = clocks();
    c.received(report({ owed: 100, pause: true, waits: true }));
    clock.advance(59_000);
    c.paced(true);
    clock.advance(100_000);
    c.paced(false);
    clock.advance(900);
    assert.deepEqual(expired, []);
    clock.advance(200);
    assert.deepEqual(expired, ["frame"]);
    c.close();
  });

  it("do not call a connection idle whose bytes to send wait for tokens", () => {
    const { clock, clocks: c, expired } = clocks();
    clock.advance(50_000);
    c.unpaid(true);
    clock.advance(1_000_000);
    c.received(report({ owed: 100 })); // in a frame of the peer's it is not idle either
    c.received(report({ completed: 1 }));
    clock.advance(1_000_000);
    assert.deepEqual(expired, []);
    c.unpaid(false);
    clock.advance(59_999);
    assert.deepEqual(expired, []);
    clock.advance(2);
    assert.deepEqual(expired, ["idle"]);
    c.close();
  });

  it("begin no idle clock in the middle of a frame when tokens are there again", () => {
    const { clock, clocks: c, expired } = clocks();
    c.unpaid(true);
    c.received(report({ owed: 100, pause: true, waits: true })); // it waits for memory
    clock.advance(30_000);
    c.unpaid(false);
    clock.advance(30_001);
    assert.deepEqual(expired, ["frame"]);
    c.draining();
    c.unpaid(true);
    c.unpaid(false);
    clock.advance(4_999);
    assert.deepEqual(expired, ["frame"]);
    clock.advance(2);
    assert.deepEqual(expired, ["frame", "drain"]);
    c.close();
  });

  it("are idle again once the pace and the frame are over", () => {
    const { clock, clocks: c, expired } = clocks();
    c.paced(true);
    c.received(report({ owed: 100 }));
    c.received(report({ completed: 1 }));
    c.paced(false);
    clock.advance(59_999);
    assert.deepEqual(expired, []);
    clock.advance(2);
    assert.deepEqual(expired, ["idle"]);
    c.close();
  });
});

describe("paced writer", () => {
  function writer(rate: number) {
    const clock = new ManualClock();
    const rates = { conn: () => rate, peer: () => 0, global: () => 0 };
    const pacer = new Pacer(clock, rates, () => 65_536, (peer) => peer.egress);
    const busy: boolean[] = [];
    const unpaid: boolean[] = [];
    const refused: string[] = [];
    const made = new Writer({ items: 10, bytes: 1_000_000, pool: new BlockPool() }, {
      onBusy: (on) => void busy.push(on),
      onUnpaid: (on) => void unpaid.push(on),
      onTaken: () => {},
      onRefused: (kind) => void refused.push(kind),
    });
    made.belong(pacer, undefined);
    const socket = { sent: 0, room: Infinity, writes: [] as number[] };
    made.start({
      info: {},
      lends: true,
      write(bytes) {
        const n = Math.min(bytes.length, socket.room);
        socket.room -= n;
        socket.sent += n;
        if (n > 0) socket.writes.push(n);
        return n;
      },
      cork() {},
      uncork() {},
      shutdown() {},
      destroy() {},
      pause() {},
      resume() {},
    });
    const end = (): void => made.fail(new TransportError("misuse", "over", { op: "write" }));
    return { clock, writer: made, socket, busy, unpaid, refused, end, pacer };
  }

  it("waits for the peer only while the runtime holds bytes, not while tokens are missing", async () => {
    const { clock, writer: w, socket, busy, end } = writer(1_000);
    const sent = w.inTurn(5_000, () => w.push(undefined, new Uint8Array(20_000), undefined));
    await sent;
    clock.advance(1);
    await Promise.resolve();
    assert.equal(socket.sent, 500);
    assert.equal(busy.at(-1), true);
    w.written(500);
    assert.equal(busy.at(-1), false);
    clock.advance(500);
    await Promise.resolve();
    assert.equal(socket.sent, 1_000);
    assert.equal(busy.at(-1), true);
    end();
  });

  it("leaves nothing in the pacer when it fails, and says how much waits until then", async () => {
    const { clock, writer: w, socket, pacer } = writer(1_000);
    await w.inTurn(1_000, () => w.push(undefined, new Uint8Array(1_000), undefined));
    clock.advance(1);
    await Promise.resolve();
    assert.deepEqual([socket.sent, w.waiting(), pacer.waiting], [500, 500, 1]);
    w.fail(new TransportError("misuse", "over", { op: "write" }));
    assert.deepEqual([w.waiting(), pacer.waiting, clock.pending], [0, 0, 0]);
  });

  it("tells when what is next waits for tokens, once, and when it no longer does", async () => {
    const { clock, writer: w, socket, unpaid, end } = writer(1_000);
    assert.ok(w.reserve(100) >= 0);
    await Promise.resolve();
    assert.deepEqual([socket.sent, unpaid], [100, []]);
    await w.inTurn(1_000, () => w.push(undefined, new Uint8Array(1_000), undefined));
    for (let s = 0; s < 2; s += 0.25) {
      clock.advance(250);
      await Promise.resolve();
    }
    assert.deepEqual([socket.sent, unpaid], [1_100, [true, false]]);
    end();
  });

  it("refuses what cannot be paid now, whole and without a change, and takes it in turn", async () => {
    const { clock, writer: w, socket, refused, end } = writer(1_000);
    for (let i = 0; i < 2; i++) assert.ok(w.reserve(500) >= 0); // each pays for its first piece, 250
    const before = [w.items, w.bytes];
    assert.equal(w.reserve(1), -1);
    assert.equal(w.refusal(1).kind, "rate_limited");
    assert.equal(w.push(undefined, new Uint8Array(20_000), undefined), false);
    assert.equal(w.refusal(20_000).kind, "rate_limited");
    assert.deepEqual([w.items, w.bytes], before);
    assert.deepEqual(refused, ["rate_limited", "rate_limited"]);
    await w.inTurn(20_000, () => w.push(undefined, new Uint8Array(20_000), undefined));
    await Promise.resolve();
    assert.equal(socket.sent, 500);
    for (let s = 0; s < 20; s += 0.5) {
      clock.advance(500);
      await Promise.resolve();
    }
    assert.ok(Math.abs(socket.sent - 20_500) <= 500, `${socket.sent}`);
    end();
  });

  it("counts an item once, whatever its size and parts, and takes others while nobody is in line", async () => {
    const { clock, writer: w, end } = writer(1_000_000);
    await w.inTurn(10, () => w.push(undefined, new Uint8Array(10), undefined));
    clock.advance(1); // until then it waits for its tokens, and nobody overtakes it
    await Promise.resolve();
    assert.ok(w.push(new Uint8Array(38), new Uint8Array(20_000), undefined));
    assert.ok(w.push(new Uint8Array(20_000), new Uint8Array(20_000), undefined));
    assert.ok(w.reserve(10) >= 0);
    assert.equal(w.items, 4);
    assert.equal(w.bytes, 10 + 20_038 + 40_000 + 10);
    clock.advance(1);
    end();
  });

  it("asks for no tokens while the peer takes nothing, and goes on when it does", async () => {
    const { clock, writer: w, socket, end } = writer(1_000);
    socket.room = 100;
    await w.inTurn(20_000, () => w.push(undefined, new Uint8Array(20_000), undefined));
    clock.advance(1);
    await Promise.resolve();
    assert.equal(socket.sent, 100);
    assert.equal(w.waiting(), 0);
    clock.advance(10_000);
    socket.room = Infinity;
    w.drained();
    await Promise.resolve();
    assert.equal(socket.sent, 500); // what was paid before; no more was saved up in the queue
    clock.advance(1_000);
    await Promise.resolve();
    // a full bucket and a second's worth
    assert.ok(socket.sent >= 1_500 && socket.sent <= 2_000, `${socket.sent}`);
    end();
  });
});

describe("intake", () => {
  function intake(rate: number) {
    const clock = new ManualClock();
    const rates = { conn: () => rate, peer: () => 0, global: () => 0 };
    const pacer = new Pacer(clock, rates, () => 65_536, (peer) => peer.ingress);
    const log: string[] = [];
    const made: Intake = new Intake(
      {
        deliver: (bytes) => {
          assert.ok(bytes.every((byte) => byte < 9), "it changed while it was held");
          log.push(`${bytes.length}`);
        },
        onHold: (scope) => log.push(`hold ${scope}`),
        onFree: () => log.push("free"),
      },
      pacer,
      undefined,
    );
    return { clock, intake: made, log, pacer };
  }

  it("passes on what is paid, holds what is not, and hands it on in order", () => {
    const { clock, intake: i, log } = intake(1_000);
    assert.ok(i.take(new Uint8Array(400), false));
    assert.deepEqual(log, []);
    assert.equal(i.take(new Uint8Array(300), false), false);
    assert.equal(i.take(new Uint8Array(1), false), false); // though there are tokens for it
    assert.equal(i.held, 301);
    clock.advance(1_000);
    assert.deepEqual(log, ["hold conn", "250", "50", "1", "free"]);
    assert.equal(i.held, 0);
    assert.ok(i.take(new Uint8Array(400), false));
  });

  it("asks for no tokens while its consumer is behind, and goes on with the last byte", () => {
    const { clock, intake: i, log, pacer } = intake(1_000);
    assert.ok(i.take(new Uint8Array(500), false));
    assert.equal(i.take(new Uint8Array(1), false), false);
    i.stop(true);
    clock.advance(1_000);
    assert.deepEqual([log.length, i.held, pacer.waiting], [1, 1, 0]);
    i.stop(false);
    clock.advance(10);
    assert.deepEqual(log, ["hold conn", "1", "free"]);
    assert.equal(i.take(new Uint8Array(5_000), false), false);
    i.close();
    assert.deepEqual([i.held, pacer.waiting, clock.pending], [0, 0, 0]);
  });

  it("copies what is only lent", () => {
    const { clock, intake: i } = intake(1_000);
    const bytes = new Uint8Array(600).fill(1);
    assert.equal(i.take(bytes, false), false);
    bytes.fill(9);
    clock.advance(1_000);
    assert.equal(i.held, 0);
  });
});

describe("slots of a paced connection", () => {
  it("are kept while bytes are held though both ends have closed, and nothing is lost", async () => {
    const clock = new ManualClock();
    const runtime = new MemoryNetwork({ seed: 5 });
    const accepted: Connection[] = [];
    const server = new Transport({ rates: { per_conn_bytes_per_sec: 10_000 } }, { runtime, clock });
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        accepted.push(connection);
        await connection.closed;
      },
    });
    const client = new Transport({}, { runtime });
    const connection = await client.dial(listener.address);
    accepted[0]!.closeWrite();
    await connection.write(new Uint8Array(50_000).fill(7));
    const closed = connection.close();
    await closed;
    await delay(10);
    assert.equal(server.counters().inflight, 1);
    const into = new Uint8Array(50_000);
    let got = 0;
    for (let s = 0; s < 20 && got < 50_000; s++) {
      clock.advance(500);
      got += await accepted[0]!.read(into) ?? 0;
    }
    assert.equal(got, 50_000);
    assert.equal(await accepted[0]!.read(into), null);
    await accepted[0]!.close();
    await delay(1);
    assert.equal(server.counters().inflight, 0);
    await client.close();
    await server.close();
  });

  it("of connections that closed before anybody took them are no connections any more", async () => {
    const runtime = new MemoryNetwork({ seed: 5 });
    const server = new Transport({ max_conns: 5 }, { runtime });
    const listener = await server.listen({ address: "tcp://127.0.0.1:0" });
    const client = new Transport({}, { runtime });
    for (let i = 0; i < 50; i++) {
      (await client.dial(listener.address)).abort();
      await delay(1);
    }
    const last = await client.dial(listener.address);
    const given = await listener[Symbol.asyncIterator]().next();
    const { remote } = (given.value as Connection).info;
    assert.equal(remote?.port, last.info.local?.port);
    await client.close();
    await server.close();
  });
});
