/** LOOM-BP-01, LOOM-CANCEL-01: the writer in every order of its producers, its socket and its end. */
import assert from "node:assert/strict";
import { BlockPool } from "../../src/block_pool.ts";
import { TransportError } from "../../src/errors.ts";
import type { Socket } from "../../src/runtime/runtime.ts";
import { Writer } from "../../src/writer.ts";
import { describe, it } from "../harness.ts";
import { everyInterleaving, type Model, type Outcome, outcome, turns } from "./interleave.ts";

/** A socket that takes a few bytes at a time. */
class NarrowSocket implements Socket {
  readonly info = {};
  readonly lends: boolean;
  readonly sent: number[] = [];
  room = 1;
  lent = 0;
  shut = false;

  constructor(lends: boolean) {
    this.lends = lends;
  }

  write(bytes: Uint8Array): number {
    assert.equal(this.shut, false, "a write after shutdown");
    const n = Math.min(bytes.length, this.room);
    this.room -= n;
    this.lent += n;
    this.sent.push(...bytes.subarray(0, n));
    return n;
  }

  cork(): void {}
  uncork(): void {}
  shutdown(): void {
    this.shut = true;
  }
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

interface Bench {
  readonly writer: Writer;
  readonly socket: NarrowSocket;
  /** Values that were put, in order. */
  readonly put: number[];
  readonly outcomes: Outcome[];
  /** Puts a value of two bytes, waiting in line for room. */
  send(value: number, signal?: AbortSignal): void;
  /** The socket takes more. */
  drain(): void;
}

/** Two items at most, so that the third producer waits. */
function bench(lends: boolean): Bench {
  const writer = new Writer({ items: 2, bytes: 100, pool: new BlockPool() }, {
    onBusy: () => {},
    onUnpaid: () => {},
    onTaken: () => {},
    onRefused: () => {},
  });
  const socket = new NarrowSocket(lends);
  const put: number[] = [];
  const outcomes: Outcome[] = [];
  writer.start(socket);
  const offer = (value: number): boolean => {
    const at = writer.reserve(2);
    if (at < 0) return false;
    writer.block.fill(value, at, at + 2);
    put.push(value);
    return true;
  };
  return {
    writer,
    socket,
    put,
    outcomes,
    send(value, signal) {
      if (writer.failure !== undefined || offer(value)) return;
      outcomes.push(outcome(writer.inTurn(2, () => offer(value), signal)));
    },
    drain() {
      socket.room += 3;
      if (lends) {
        const n = socket.lent;
        socket.lent = 0;
        writer.written(n);
      }
      writer.drained();
    },
  };
}

/** What was sent is the beginning of what was put, each value once. */
function checkOrder({ socket, put }: Bench): void {
  const want = put.flatMap((value) => [value, value]);
  assert.deepEqual(socket.sent, want.slice(0, socket.sent.length));
}

const closed = (): TransportError => new TransportError("misuse", "closed", { op: "write" });

for (const lends of [false, true]) {
  describe(`writer model, a socket that ${lends ? "lends" : "copies"}`, () => {
    it("I-G3, I-5: LOOM-BP-01: a full inbox and an end cannot wait for each other", async () => {
      const orders = await everyInterleaving((): Model => {
        const b = bench(lends);
        return {
          threads: {
            first: [() => b.send(1), () => b.send(2)],
            second: [() => b.send(3), () => b.send(4)],
            socket: [() => b.drain(), () => b.drain()],
            end: [() => b.writer.end(closed())],
          },
          check: () => checkOrder(b),
          async end() {
            for (let i = 0; i < 12; i++) {
              b.drain();
              await turns(4);
            }
            checkOrder(b);
            assert.equal(b.socket.sent.length, 2 * b.put.length); // all that was taken was sent
            assert.equal(b.socket.shut, true);
            assert.equal(b.outcomes.some(({ now }) => now === "waits"), false);
            assert.equal(b.writer.items, 0);
            assert.equal(b.writer.bytes, 0);
          },
        };
      });
      assert.equal(orders, 630);
    });

    it("LOOM-CANCEL-01: a waiter that gives up holds nobody back; a failure settles all", async () => {
      const orders = await everyInterleaving((): Model => {
        const b = bench(lends);
        const controller = new AbortController();
        b.send(1);
        b.send(2);
        return {
          threads: {
            patient: [() => b.send(3)],
            impatient: [
              () => b.send(4, controller.signal),
              () => controller.abort(new Error("gave up")),
            ],
            late: [() => b.send(5)],
            socket: [() => b.drain(), () => b.drain()],
            fail: [() => b.writer.fail(closed())],
          },
          check: () => checkOrder(b),
          async end() {
            await turns();
            assert.equal(b.outcomes.some(({ now }) => now === "waits"), false);
            for (const { now } of b.outcomes) {
              assert.ok(["ok", "gave up", "misuse"].includes(now), now);
            }
            checkOrder(b);
            const { length } = b.socket.sent;
            b.drain();
            assert.equal(b.socket.sent.length, length); // nothing is sent after a failure
            assert.equal(b.writer.bytes, 0);
          },
        };
      });
      assert.equal(orders, 1_260);
    });

    it("LOOM-CANCEL-01: without a failure, all but the one that gave up are sent, in order", async () => {
      await everyInterleaving((): Model => {
        const b = bench(lends);
        const controller = new AbortController();
        b.send(1);
        b.send(2);
        return {
          threads: {
            impatient: [
              () => b.send(4, controller.signal),
              () => controller.abort(new Error("gave up")),
            ],
            patient: [() => b.send(3), () => b.send(5)],
            socket: [() => b.drain(), () => b.drain(), () => b.drain()],
          },
          check: () => checkOrder(b),
          async end() {
            for (let i = 0; i < 12; i++) {
              b.drain();
              await turns(4);
            }
            const put = b.put.filter((value) => value !== 4);
            assert.deepEqual(put, [1, 2, 3, 5]);
            checkOrder(b);
            assert.equal(b.socket.sent.length, 2 * b.put.length);
          },
        };
      });
    });
  });
}
