/** I-G3: the one writer of a connection. */
import assert from "node:assert/strict";
import { BLOCK_BYTES, BlockPool, SMALL_BLOCK_BYTES } from "../../../src/block_pool.ts";
import { TransportError } from "../../../src/errors.ts";
import type { Socket } from "../../../src/runtime/runtime.ts";
import { writeParts } from "../../../src/write_parts.ts";
import { Writer } from "../../../src/writer.ts";
import { describe, it } from "../../harness.ts";

/** A socket that takes as much as it is told to, and remembers the views it was lent. */
class ScriptedSocket implements Socket {
  readonly info = {};
  readonly lends: boolean;
  readonly writev: Socket["writev"];
  readonly views: Uint8Array[] = [];
  readonly log: string[] = [];
  room = Infinity;

  constructor(lends: boolean) {
    this.lends = lends;
    this.writev = lends ? undefined : (parts) => {
      this.log.push(`${parts.map(({ length }) => length).join(", ")} together`);
      return writeParts(this, parts);
    };
  }

  write(bytes: Uint8Array): number {
    if (bytes.length === 0) this.log.push("nothing");
    const n = Math.min(bytes.length, this.room);
    this.room -= n;
    if (n > 0) this.views.push(bytes.subarray(0, n));
    return n;
  }

  cork(): void {
    this.log.push("cork");
  }
  uncork(): void {
    this.log.push("uncork");
  }
  shutdown(): void {
    this.log.push("shutdown");
  }
  destroy(): void {}
  pause(): void {}
  resume(): void {}

  get sent(): number[] {
    return this.views.flatMap((view) => [...view]);
  }
}

interface Fixture {
  readonly writer: Writer;
  readonly socket: ScriptedSocket;
  readonly refused: () => number;
  readonly busy: boolean[];
  /** Bytes that the owner was told of. */
  readonly taken: () => number;
}

function fixture(lends: boolean, items = 4, bytes = 200_000): Fixture {
  let refused = 0;
  let taken = 0;
  const busy: boolean[] = [];
  const writer = new Writer({ items, bytes, pool: new BlockPool() }, {
    onBusy: (on) => void busy.push(on),
    onUnpaid: () => {},
    onTaken: (n) => taken += n,
    onRefused: () => void refused++,
  });
  const socket = new ScriptedSocket(lends);
  return { writer, socket, refused: () => refused, busy, taken: () => taken };
}

function small(writer: Writer, ...values: number[]): boolean {
  const at = writer.reserve(values.length);
  if (at < 0) return false;
  writer.block.set(values, at);
  return true;
}

describe("I-G3, I-4: writer", () => {
  it("gathers the small items of one turn into one write", async () => {
    const { writer, socket } = fixture(false);
    writer.start(socket);
    small(writer, 1, 2);
    small(writer, 3);
    small(writer, 4);
    await Promise.resolve();
    assert.equal(socket.views.length, 1);
    assert.deepEqual(socket.sent, [1, 2, 3, 4]);
    assert.equal(writer.items, 0);
  });

  it("keeps the order of small and large items, and hands large ones over by reference", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    const large = new Uint8Array(40_000).fill(9);
    small(writer, 1);
    assert.ok(writer.push(new Uint8Array([2, 3]), large, undefined));
    small(writer, 4);
    await Promise.resolve();
    assert.deepEqual(socket.sent.slice(0, 3), [1, 2, 3]);
    assert.deepEqual(socket.sent.slice(-1), [4]);
    assert.equal(socket.sent.length, 3 + large.length + 1);
    assert.ok(socket.views.some((view) => view.buffer === large.buffer));
    assert.deepEqual(socket.log, ["cork", "uncork"]);
  });

  it("takes a small block, and a large one once that was outgrown", async () => {
    const { writer, socket } = fixture(false, 200);
    writer.start(socket);
    const sizes: number[] = [];
    const send = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) assert.ok(writer.reserve(100) >= 0);
      sizes.push(writer.block.length);
      await Promise.resolve();
    };
    await send(1);
    await send(60);
    await send(60);
    await send(1);
    await send(1);
    assert.deepEqual(sizes, [
      SMALL_BLOCK_BYTES,
      BLOCK_BYTES,
      BLOCK_BYTES,
      BLOCK_BYTES,
      SMALL_BLOCK_BYTES,
    ]);
    assert.ok(writer.reserve(5_000) >= 0);
    assert.equal(writer.block.length, BLOCK_BYTES);
    await Promise.resolve();
    assert.equal(socket.sent.length, 123 * 100 + 5_000);
  });

  it("makes no block for the head of a large item", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    const head = new Uint8Array([1, 2]);
    assert.ok(writer.push(head, new Uint8Array(40_000), undefined));
    await Promise.resolve();
    assert.equal(socket.views[0]?.buffer, head.buffer);
  });

  it("sends several runs by one call where the runtime has one, without copying any", async () => {
    const { writer, socket } = fixture(false, 8, 2_000_000);
    writer.start(socket);
    const large = new Uint8Array(40_000).fill(9);
    const huge = new Uint8Array(1_048_576).fill(8);
    small(writer, 1);
    assert.ok(writer.push(new Uint8Array([2, 3]), large, undefined));
    assert.ok(writer.push(new Uint8Array([4]), huge, undefined));
    small(writer, 5);
    await Promise.resolve();
    assert.deepEqual(socket.log, ["3, 40000, 1, 1048576 together"]);
    assert.deepEqual(socket.views.map(({ length }) => length), [3, 40_000, 1, huge.length, 1]);
    assert.equal(socket.views[1]?.buffer, large.buffer);
    assert.equal(socket.views[3]?.buffer, huge.buffer);
    assert.equal(writer.bytes, 0);
  });

  it("goes on where the runtime stopped, wherever that is among several runs", async () => {
    for (let room = 0; room < 40_040; room += room > 3 && room < 40_000 ? 1_997 : 1) {
      const { writer, socket } = fixture(false, 8);
      socket.room = room;
      writer.start(socket);
      let done = 0;
      small(writer, 1);
      assert.ok(writer.push(new Uint8Array([2, 3]), new Uint8Array(40_000).fill(9), () => done++));
      small(writer, 4, 5);
      await Promise.resolve();
      assert.equal(done, room >= 40_003 ? 1 : 0);
      socket.room = Infinity;
      writer.drained();
      assert.deepEqual(socket.sent, [1, 2, 3, ...new Uint8Array(40_000).fill(9), 4, 5]);
      assert.equal(done, 1);
      assert.equal(writer.items, 0);
    }
  });

  it("refuses an item whole when the inbox is full, and counts it", async () => {
    const { writer, socket, refused } = fixture(true, 2);
    writer.start(socket);
    assert.ok(small(writer, 1));
    assert.ok(small(writer, 2));
    assert.equal(small(writer, 3), false);
    assert.equal(writer.push(undefined, new Uint8Array(20_000), undefined), false);
    assert.equal(refused(), 0, "a refusal counts when somebody is told");
    assert.equal(writer.refusal(1).kind, "busy");
    assert.equal(refused(), 1);
    await Promise.resolve();
    assert.equal(writer.items, 2, "lent memory still counts");
    writer.written(2);
    assert.equal(writer.items, 0);
    assert.ok(small(writer, 3));
  });

  it("refuses by bytes as well as by items", () => {
    const { writer } = fixture(true, 10, 50_000);
    assert.ok(writer.push(undefined, new Uint8Array(40_000), undefined));
    assert.equal(writer.push(undefined, new Uint8Array(20_000), undefined), false);
    assert.equal(writer.bytes, 40_000);
  });

  it("resumes a partial write where it stopped", async () => {
    const { writer, socket } = fixture(false);
    socket.room = 3;
    writer.start(socket);
    small(writer, 1, 2, 3, 4, 5);
    await Promise.resolve();
    assert.deepEqual(socket.sent, [1, 2, 3]);
    socket.room = Infinity;
    writer.drained();
    assert.deepEqual(socket.sent, [1, 2, 3, 4, 5]);
    assert.equal(writer.items, 0);
  });

  it("sends what joins a block after the block was taken", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    small(writer, 1);
    await Promise.resolve();
    small(writer, 2);
    await Promise.resolve();
    writer.written(2);
    assert.equal(writer.items, 0);
    assert.equal(writer.bytes, 0);
  });

  it("tells that memory is free only after the runtime let go of it", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    const told: unknown[] = [];
    writer.push(undefined, new Uint8Array(40_000), (error) => told.push(error));
    await Promise.resolve();
    assert.deepEqual(told, []);
    writer.written(39_999);
    assert.deepEqual(told, []);
    writer.written(1);
    assert.deepEqual(told, [undefined]);
  });

  it("shuts the socket down once all is sent, and takes nothing more", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    small(writer, 1);
    const closed = new TransportError("misuse", "closed", { op: "write" });
    writer.end(closed);
    assert.equal(small(writer, 2), false);
    await Promise.resolve();
    assert.deepEqual(socket.log, []);
    writer.written(1);
    assert.deepEqual(socket.log, ["shutdown"]);
    await assert.rejects(writer.inTurn(1, () => true), closed);
  });

  it("tells everyone who waits why it failed", async () => {
    const { writer, socket } = fixture(true, 1);
    writer.start(socket);
    const told: unknown[] = [];
    writer.push(undefined, new Uint8Array(40_000), (error) => told.push(error));
    const waiting = writer.inTurn(1, () => small(writer, 2));
    const cause = new TransportError("io_closed", "gone", { op: "read" });
    writer.fail(cause);
    assert.deepEqual(told, [cause]);
    await assert.rejects(waiting, cause);
    assert.equal(writer.failure, cause);
    assert.equal(writer.items, 0);
  });

  it("lets callers wait in line, at most 256, and drops those whose signal aborts", async () => {
    const { writer, socket, refused } = fixture(true, 1);
    writer.start(socket);
    small(writer, 1);
    await Promise.resolve();
    const controller = new AbortController();
    const order: number[] = [];
    const put = (value: number) => () => small(writer, value);
    const first = writer.inTurn(1, put(2)).then(() => order.push(1));
    const dropped = writer.inTurn(1, put(9), controller.signal);
    const third = writer.inTurn(1, put(3)).then(() => order.push(3));
    const rest = Array.from({ length: 253 }, () => writer.inTurn(1, put(4)));
    await assert.rejects(writer.inTurn(1, put(9)), { kind: "busy" });
    assert.equal(refused(), 1);
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(dropped, reason);
    assert.equal(small(writer, 9), false, "nobody overtakes those who wait");
    writer.written(1);
    await first;
    assert.equal(small(writer, 9), false);
    await Promise.resolve();
    writer.written(1);
    await third;
    assert.deepEqual(order, [1, 3]);
    writer.fail(new TransportError("io_closed", "end of test", { op: "read" }));
    await Promise.allSettled(rest);
  });

  it("sends an empty item without waiting for the runtime", async () => {
    const { writer, socket } = fixture(true);
    writer.start(socket);
    let told = 0;
    writer.push(undefined, new Uint8Array(0), () => told++);
    await Promise.resolve();
    assert.equal(told, 1);
    assert.equal(writer.items, 0);
  });

  it("is busy from the first byte that waits to the last that is handed over", async () => {
    const { writer, socket, busy } = fixture(true);
    writer.start(socket);
    small(writer, 1);
    await Promise.resolve();
    writer.written(1);
    assert.deepEqual(busy, [true, false]);
  });

  it("copies what is small, 32 KiB included, and lends what is larger", async () => {
    for (const [size, copied] of [[32_768, true], [32_769, false]] as const) {
      const { writer, socket } = fixture(true);
      let told = 0;
      const body = new Uint8Array(size - 1).fill(5);
      assert.ok(writer.push(Uint8Array.of(4), body, () => told++));
      assert.equal(told, copied ? 1 : 0);
      body.fill(copied ? 6 : 5);
      writer.start(socket);
      assert.deepEqual([socket.sent.length, socket.sent[0]], [size, 4]);
      assert.ok(socket.sent.slice(1).every((byte) => byte === 5));
      writer.written(size);
      assert.equal(told, 1);
      await Promise.resolve();
    }
  });

  it("takes its bytes to the last one, and no more", () => {
    const { writer } = fixture(true, 10, 50_000);
    assert.ok(writer.push(undefined, new Uint8Array(40_000), undefined));
    assert.equal(writer.push(undefined, new Uint8Array(10_001), undefined), false);
    assert.ok(writer.push(undefined, new Uint8Array(10_000), undefined));
    assert.equal(small(writer, 1), false);
    assert.equal(writer.refusal(1).kind, "busy");
  });

  it("sends at once what was queued before it started", () => {
    const { writer, socket, busy, taken } = fixture(true);
    small(writer, 1, 2);
    writer.push(Uint8Array.of(3), new Uint8Array(40_000).fill(4), undefined);
    assert.deepEqual(busy, [true]);
    writer.start(socket);
    assert.equal(socket.sent.length, 40_003);
    assert.equal(taken(), 40_003);
    assert.deepEqual(socket.log, ["cork", "uncork"]);
    writer.written(40_003);
    assert.deepEqual(busy, [true, false]);
  });

  it("is busy with a large item that nothing was queued before", () => {
    const { writer, busy } = fixture(true);
    writer.push(undefined, new Uint8Array(40_000), undefined);
    assert.deepEqual(busy, [true]);
  });

  it("writes nothing where there is nothing, and two runs by one call where the runtime has one", async () => {
    const { writer, socket, taken } = fixture(false);
    writer.start(socket);
    writer.push(undefined, new Uint8Array(0), undefined);
    await Promise.resolve();
    small(writer, 1);
    writer.push(undefined, new Uint8Array(40_000).fill(2), undefined);
    await Promise.resolve();
    assert.deepEqual([socket.log, taken()], [["1, 40000 together"], 40_001]);
  });

  it("is crowded by 256 that wait, and refuses others as busy while one does", async () => {
    const { writer, socket, refused } = fixture(true, 2);
    assert.equal(writer.crowded, false);
    writer.start(socket);
    small(writer, 1);
    small(writer, 2);
    const waiting = [writer.inTurn(1, () => small(writer, 3))];
    assert.equal(writer.crowded, false);
    await Promise.resolve();
    assert.equal(small(writer, 9), false);
    assert.equal(writer.refusal(1).kind, "busy");
    assert.match(writer.refusal(1).message, /2 of 2 items and 2 of 200000 bytes, 1 callers wait/);
    while (waiting.length < 256) waiting.push(writer.inTurn(1, () => small(writer, 3)));
    assert.equal(writer.crowded, true);
    assert.equal(refused(), 2);
    const over = new TransportError("misuse", "over", { op: "write" });
    writer.end(over); // nobody in line gets a turn any more
    for (const one of waiting) await assert.rejects(one, over);
    assert.deepEqual(socket.log, []);
    writer.written(2);
    assert.deepEqual(socket.log, ["shutdown"]);
    writer.end(new TransportError("misuse", "again", { op: "write" }));
    assert.equal(writer.failure, over);
    assert.deepEqual(socket.log, ["shutdown"]);
  });

  it("refuses one who comes while another one waits, though there is room for it", async () => {
    const { writer, socket } = fixture(true, 10, 50_000);
    writer.start(socket);
    writer.push(undefined, new Uint8Array(40_000), undefined);
    const large = writer.inTurn(
      20_000,
      () => writer.push(undefined, new Uint8Array(20_000), undefined),
    );
    assert.equal(small(writer, 1), false);
    assert.equal(writer.refusal(1).kind, "busy");
    await Promise.resolve();
    writer.written(40_000);
    await large;
    assert.ok(small(writer, 1));
    assert.equal(writer.bytes, 20_001);
  });

  it("shuts down at once where nothing is left to send, and not at all once it has failed", () => {
    const ends = fixture(true);
    ends.writer.start(ends.socket);
    ends.writer.end(new TransportError("misuse", "over", { op: "write" }));
    assert.deepEqual(ends.socket.log, ["shutdown"]);
    const fails = fixture(true);
    small(fails.writer, 1);
    fails.writer.start(fails.socket);
    fails.writer.end(new TransportError("misuse", "over", { op: "write" }));
    fails.writer.fail(new TransportError("io_closed", "gone", { op: "write" }));
    fails.writer.written(1);
    fails.writer.drained();
    assert.deepEqual(fails.socket.log, []);
    assert.equal(fails.writer.failure?.kind, "misuse", "the first cause");
  });

  it("takes nothing more once the socket takes no more, and asks it again when it does", async () => {
    const { writer, socket, taken } = fixture(true, 100);
    socket.room = 1;
    writer.start(socket);
    small(writer, 1, 2);
    await Promise.resolve();
    small(writer, 3);
    await Promise.resolve();
    assert.deepEqual([socket.sent, taken(), writer.waiting()], [[1], 1, 0]);
    socket.room = 1;
    writer.drained();
    assert.deepEqual(socket.sent, [1, 2]);
    socket.room = Infinity;
    writer.drained();
    assert.deepEqual([socket.sent, taken()], [[1, 2, 3], 3]);
  });
});
