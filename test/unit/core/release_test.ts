/** I-G2: memory that nobody needs is free at once, and nobody else's ever is. */
import assert from "node:assert/strict";
import { CAPS } from "../../../src/caps.ts";
import { RawSink } from "../../../src/raw_sink.ts";
import { release } from "../../../src/release.ts";
import { Assembly, FramePool } from "../../../src/oap/assembly.ts";
import { encodeFrame, FLAGS, framed } from "../../../src/oap/mod.ts";
import type { Sink } from "../../../src/sink.ts";
import { describe, it } from "../../harness.ts";
import { concat, xorshift } from "../../vectors.ts";
import { FakeConnection } from "../oap/fake_carrier.ts";

/** Node has it from version 22 on. */
const frees = "transfer" in ArrayBuffer.prototype;
const LARGE = 200_000;

function freed(bytes: Uint8Array): boolean {
  return bytes.buffer.byteLength === 0;
}

function event(size: number, flags: number = FLAGS.EVENT): Uint8Array {
  const payload = xorshift(size, size);
  return encodeFrame({ flags, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload });
}

/** A framed connection and its sink, to which receives are given that are its own. */
function sink(lends = false) {
  const connection = new FakeConnection();
  let made: Sink | undefined;
  const attach = connection.attach;
  connection.attach = (make) => {
    const sink = attach.call(connection, make);
    made = sink as Sink;
    return sink as ReturnType<typeof make>;
  };
  const peer = framed(connection);
  if (lends) peer.onBatch(() => {});
  return { connection, peer, sink: made! };
}

describe("memory given back", () => {
  it("is free at once, but not where it is small, or only a part is given", () => {
    const bytes = new Uint8Array(LARGE);
    release(bytes);
    assert.equal(freed(bytes), frees);
    const least = new Uint8Array(16_384);
    release(least);
    assert.equal(least.buffer.byteLength, frees ? 0 : 16_384);
    const small = new Uint8Array(16_383);
    release(small);
    assert.ok(!freed(small));
    const whole = new Uint8Array(LARGE);
    release(whole.subarray(1));
    assert.ok(!freed(whole));
  });

  it("is that of a frame that is given up, and what it outgrew, but not of a finished one", () => {
    const used = written(() => {
      const assembly = new Assembly();
      assembly.begin(LARGE);
      assembly.fill(new Uint8Array(30_000), 0);
      assembly.fill(new Uint8Array(CAPS.chunkBytes), 0);
      assembly.drop();
    });
    assert.equal(used.size, 2, "it grew once");
    for (const bytes of used) assert.equal(freed(bytes), frees);
    const assembly = new Assembly();
    assembly.begin(CAPS.chunkBytes);
    assembly.fill(xorshift(3, CAPS.chunkBytes), 0);
    const frame = assembly.take();
    assembly.drop();
    assert.deepEqual(frame, xorshift(3, CAPS.chunkBytes));
  });

  it("is the pool's, where there is one, which frees what it does not keep", () => {
    const pool = new FramePool();
    const used = written(() => {
      for (let n = 0; n < 20; n++) {
        const assembly = new Assembly();
        assembly.pool = pool;
        assembly.begin(LARGE + n * 40_000);
        assembly.fill(new Uint8Array(CAPS.chunkBytes), 0);
        assembly.drop();
      }
    });
    assert.ok(used.size > 10);
    const kept = [...used].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    if (frees) assert.ok(kept <= 2 * CAPS.frameBytes, `${kept} bytes are kept`);
  });
});

/** The memory that is written to meanwhile. */
function written(act: () => void): Set<Uint8Array> {
  const bytes = Object.getPrototypeOf(Uint8Array.prototype) as { set: Uint8Array["set"] };
  const { set } = bytes;
  const used = new Set<Uint8Array>();
  bytes.set = function (this: Uint8Array, ...args) {
    used.add(this);
    set.apply(this, args);
  };
  try {
    act();
  } finally {
    bytes.set = set;
  }
  return used;
}

describe("what a sink says of a receive", () => {
  it("is that nothing is in use of what was copied into an unfinished frame, or only lent", () => {
    const wire = event(LARGE);
    const stalled = sink();
    assert.equal(stalled.sink.push(wire.slice(0, 100_000), true).kept, false);
    const lending = sink(true);
    assert.equal(lending.sink.push(event(50_000), true).kept, false);
  });

  it("is that frames which wait are in use, and those that lie elsewhere are not", () => {
    const pulled = sink();
    assert.equal(pulled.sink.push(event(50_000), true).kept, true);
    const assembled = sink();
    const wire = event(LARGE);
    assembled.sink.push(wire.slice(0, 150_000), true);
    const report = assembled.sink.push(wire.slice(150_000), true);
    assert.equal(report.completed, 1);
    assert.equal(report.kept, false);
  });

  it("is that what is held for a reader is in use, and what was read is not", async () => {
    const raw = new RawSink({
      waiting() {},
      resume() {},
      retain() {},
      leave: () => true,
    });
    const read = raw.read(new Uint8Array(LARGE), undefined);
    assert.equal(raw.push(new Uint8Array(LARGE), true).kept, false);
    assert.equal(await read, LARGE);
    const held = xorshift(5, LARGE);
    assert.equal(raw.push(held, true).kept, true);
    assert.equal(raw.push(held.slice(), false).kept, false);
    const into = new Uint8Array(LARGE);
    await raw.read(into, undefined);
    assert.deepEqual(into, held);
  });
});

describe("a frame that waits for memory", () => {
  function held() {
    const made = sink();
    made.connection.grants = false;
    const wire = event(LARGE);
    const receive = wire.slice(0, 100_000);
    assert.equal(made.sink.push(receive, true).kept, true);
    return { ...made, wire, receive };
  }

  it("frees what was held of it when its connection ends", () => {
    const { sink, receive } = held();
    sink.closed({ kind: "aborted", by: "remote" });
    assert.equal(freed(receive), frees);
  });

  it("frees it once it is copied, and is what was sent", async () => {
    const { sink, peer, connection, wire, receive } = held();
    connection.grants = true;
    connection.onGrant!();
    assert.equal(freed(receive), frees);
    sink.push(wire.slice(100_000), true);
    const { value } = await peer.batches().next();
    assert.deepEqual([...value!][0]!.payload, xorshift(LARGE, LARGE));
  });

  it("keeps what was held where frames before it lie in the same receive", async () => {
    const { sink: to, peer, connection } = sink();
    connection.grants = false;
    const first = event(60_000);
    const wire = event(LARGE);
    const receive = concat([first, wire.subarray(0, first.length)]);
    assert.equal(to.push(receive, true).kept, true);
    connection.grants = true;
    connection.onGrant!();
    to.push(wire.slice(first.length), true);
    const seen: Uint8Array[] = [];
    for await (const batch of peer.batches()) {
      for (const frame of batch) seen.push(frame.payload);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen[0], xorshift(60_000, 60_000));
    assert.deepEqual(seen[1], xorshift(LARGE, LARGE));
  });
});
