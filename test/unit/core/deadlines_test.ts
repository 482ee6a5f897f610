/** Deadlines on a clock that is moved by hand. */
import assert from "node:assert/strict";
import { type CloseReason, Transport } from "../../../mod.ts";
import { Deadlines } from "../../../src/deadlines.ts";
import type { Carrier, Sink, SinkReport } from "../../../src/sink.ts";
import { duplexPair, ManualClock, MemoryNetwork } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

/** A sink that reports what it is told to. */
class ScriptedSink implements Sink {
  report: SinkReport = { retained: 0, owed: 0, completed: 1, pause: false };
  reasons: CloseReason[] = [];
  push(): SinkReport {
    return this.report;
  }
  end(): void {}
  closed(reason: CloseReason): void {
    this.reasons.push(reason);
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

describe("deadlines", () => {
  it("fire in order of time, each once, on one timer", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const deadlines = new Deadlines(clock, {
      onExpire: (name) => fired.push(`${name}@${clock.now()}`),
    });
    deadlines.set("idle", 60);
    deadlines.set("read", 20);
    deadlines.set("read", 30);
    assert.equal(clock.pending, 1);
    clock.advance(29);
    assert.deepEqual(fired, []);
    clock.advance(100);
    assert.deepEqual(fired, ["read@30", "idle@60"]);
    assert.equal(clock.pending, 0);
  });

  it("do not fire when moved on, cleared or closed", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const deadlines = new Deadlines(clock, { onExpire: (name) => fired.push(name) });
    deadlines.set("idle", 10);
    clock.advance(5);
    deadlines.set("idle", 20);
    clock.advance(14);
    assert.deepEqual(fired, []);
    deadlines.set("read", 25);
    deadlines.clear("read");
    deadlines.close();
    clock.advance(100);
    assert.deepEqual(fired, []);
    assert.equal(clock.pending, 0);
  });
});

describe("I-6: timeouts of a connection", () => {
  it("idle: a silent connection ends after idle_timeout, not before", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock, config: { idle_timeout: "10s" } });
    clock.advance(9_999);
    assert.equal(pair.near.signal.aborted, false);
    clock.advance(1);
    const reason = await pair.near.closed;
    assert.equal(reason.kind, "timeout");
    assert.equal(reason.error?.op, "idle");
  });

  it("read: a read that waits ends after read_timeout", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock });
    const reading = pair.near.read(new Uint8Array(1));
    clock.advance(5_000);
    await assert.rejects(reading, { kind: "timeout", op: "read" });
  });

  it("write: a peer that takes nothing ends it after write_timeout", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock, config: { write_timeout: "3s" } });
    const writing = pair.near.write(new Uint8Array(2_000_000));
    const failed = assert.rejects(writing, { kind: "timeout", op: "write" });
    await settled();
    clock.advance(3_000);
    await failed;
  });

  it("frame: a drip restarts the read clock, and cannot stretch the frame's", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock, config: { idle_timeout: "12s" } });
    const sink = pair.far.attach((_carrier: Carrier) => new ScriptedSink());
    sink.report = { retained: 1, owed: 100, completed: 0, pause: false };
    let waited = 0;
    while (sink.reasons.length === 0 && waited < 60_000) {
      pair.near.tryWrite(new Uint8Array(1));
      await settled();
      clock.advance(1_000);
      waited += 1_000;
    }
    assert.equal(sink.reasons[0]?.kind, "timeout");
    assert.equal(sink.reasons[0]?.error?.op, "read");
    assert.equal(waited, 12_000);
  });

  it("read: a frame that stalls ends after read_timeout", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock });
    const sink = pair.far.attach((_carrier: Carrier) => new ScriptedSink());
    sink.report = { retained: 1, owed: 100, completed: 0, pause: false };
    pair.near.tryWrite(new Uint8Array(1));
    await settled();
    clock.advance(4_999);
    assert.equal(sink.reasons.length, 0);
    clock.advance(1);
    assert.equal(sink.reasons[0]?.error?.op, "read");
  });

  it("runs no clock against the peer while the consumer is behind", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock, config: { idle_timeout: "10s" } });
    let carrier!: Carrier;
    const sink = pair.far.attach((given: Carrier) => {
      carrier = given;
      return new ScriptedSink();
    });
    sink.report = { retained: 9, owed: 9, completed: 0, pause: true };
    pair.near.tryWrite(new Uint8Array(1));
    await settled();
    clock.advance(9_000);
    assert.equal(sink.reasons.length, 0);
    sink.report = { retained: 0, owed: 0, completed: 1, pause: false };
    carrier.resume();
    pair.near.tryWrite(new Uint8Array(1));
    await settled();
    clock.advance(9_000);
    assert.equal(sink.reasons.length, 0);
    clock.advance(1_000);
    assert.equal(sink.reasons[0]?.error?.op, "idle");
  });

  it("read: a frame that had to wait for memory, and stalls after that, ends too", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock });
    let carrier!: Carrier;
    const sink = pair.far.attach((given: Carrier) => {
      carrier = given;
      return new ScriptedSink();
    });
    sink.report = { retained: 9, owed: 9, completed: 0, pause: true, waits: true };
    pair.near.tryWrite(new Uint8Array(1));
    await settled();
    clock.advance(30_000);
    assert.equal(sink.reasons.length, 0, "while it waits for us, only the frame clock runs");
    carrier.resume(9);
    clock.advance(4_999);
    assert.equal(sink.reasons.length, 0);
    clock.advance(1);
    assert.equal(sink.reasons[0]?.error?.op, "read");
  });

  it("frame: the time that it waits for memory counts", async () => {
    const clock = new ManualClock();
    await using pair = await duplexPair({ clock });
    const sink = pair.far.attach((_carrier: Carrier) => new ScriptedSink());
    sink.report = { retained: 9, owed: 9, completed: 0, pause: true, waits: true };
    pair.near.tryWrite(new Uint8Array(1));
    await settled();
    clock.advance(60_000);
    assert.equal(sink.reasons[0]?.error?.op, "read");
  });

  it("dial: nothing is left of a dial that was not answered in time", async () => {
    const clock = new ManualClock();
    const never = { name: "memory", version: "", listen: () => Promise.reject(new Error("no")) };
    const destroyed: string[] = [];
    const runtime = {
      ...never,
      name: "memory" as const,
      connect: (_a: unknown, _t: unknown, handler: { onClose(f: undefined): void }) =>
        Promise.resolve({
          remote: undefined,
          destroy() {
            destroyed.push("destroy");
            handler.onClose(undefined);
          },
        }),
    };
    const transport = new Transport({ dial_timeout: "2s" }, { clock, runtime });
    const failed = assert.rejects(transport.dial("127.0.0.1:9"), { kind: "timeout", op: "dial" });
    await settled();
    assert.equal(transport.counters().inflight, 1);
    clock.advance(2_000);
    await failed;
    assert.deepEqual(destroyed, ["destroy"]);
    assert.equal(transport.counters().inflight, 0);
    assert.equal(transport.counters().rejected.timeout, 1);
    assert.equal(transport.counters().dialsErr, 1);
    assert.equal(clock.pending, 0);
  });

  it("drain: what does not end in time is broken off", async () => {
    const clock = new ManualClock();
    const runtime = new MemoryNetwork();
    const server = new Transport({}, { clock, runtime });
    const client = new Transport({}, { clock, runtime });
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const near = await client.dial(listener.address);
    const draining = server.drain(2_000);
    assert.deepEqual(server.readiness, { state: "NotReady", reason: "draining" });
    await settled();
    clock.advance(2_000);
    await draining;
    await near.closed;
    await settled();
    assert.equal(server.counters().inflight, 0);
    assert.equal(server.counters().timeouts["drain"], 1);
    await client.close();
    assert.equal(clock.pending, 0);
  });
});
