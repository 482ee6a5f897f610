/** I-G3: what a writer has to send: every byte once and in order, every count exact, every block given back once. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Block, BLOCK_BYTES, BlockPool, SMALL_BLOCK_BYTES } from "../../../src/block_pool.ts";
import { ByteBudget } from "../../../src/limits/byte_budget.ts";
import type { ByteAccount } from "../../../src/limits/byte_account.ts";
import { view, WriteQueue } from "../../../src/write_queue.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_129;

/** A pool that knows which blocks are out. */
class WatchedPool extends BlockPool {
  readonly out: Set<Block> = new Set();

  override take(large: boolean): Block {
    const block = super.take(large);
    assert.ok(!this.out.has(block), "a block that is out was taken again");
    this.out.add(block);
    return block;
  }

  override give(block: Block): void {
    assert.ok(this.out.delete(block), "a block was given back twice");
    super.give(block);
  }
}

function make(most = 1_000) {
  const pool = new WatchedPool();
  const account = new ByteBudget().account();
  return { pool, account, queue: new WriteQueue(most, pool, account) };
}

function put(queue: WriteQueue, ...values: number[]): void {
  const at = queue.reserve(values.length);
  queue.block.bytes.set(values, at);
}

/** Takes `n` bytes of what is next, as a socket does, and returns them. */
function send(queue: WriteQueue, n: number): number[] {
  const sent: number[] = [];
  while (n > 0 && queue.next !== undefined) {
    const run = queue.next;
    const part = Math.min(n, run.end - run.taken);
    sent.push(...view(run, part));
    queue.take(part);
    n -= part;
  }
  return sent;
}

describe("write queue", () => {
  it("gathers small items in a block, gives what it holds as it is, and counts all of it", () => {
    const { queue, account, pool } = make();
    put(queue, 1, 2);
    put(queue, 3);
    assert.deepEqual([queue.length, queue.pending, queue.items, queue.bytes], [1, 1, 2, 3]);
    assert.deepEqual([queue.unsent, queue.lent, account.queued], [3, 0, 3]);
    assert.deepEqual(send(queue, 2), [1, 2]);
    assert.deepEqual([queue.unsent, queue.lent, queue.pending], [1, 2, 1]);
    put(queue, 4);
    assert.deepEqual(send(queue, 10), [3, 4]);
    assert.deepEqual([queue.unsent, queue.lent, queue.pending, queue.length], [0, 4, 0, 1]);
    assert.equal(queue.next, undefined);
    put(queue, 5); // behind what is lent, in the same block
    assert.deepEqual([queue.length, queue.pending, queue.unsent], [1, 1, 1]);
    assert.deepEqual(queue.release(3), []);
    assert.deepEqual([queue.bytes, queue.lent, account.queued, queue.items], [2, 1, 2, 4]);
    assert.deepEqual(send(queue, 1), [5]);
    assert.equal(queue.release(Infinity).length, 1);
    assert.deepEqual([queue.bytes, queue.lent, account.queued, queue.items], [0, 0, 0, 0]);
    assert.equal(pool.out.size, 0);
  });

  it("lets a head join the block before it where it fits to the byte, and counts one item", () => {
    for (const free of [3, 2]) {
      const { queue, pool } = make();
      queue.reserve(SMALL_BLOCK_BYTES - free);
      const body = new Uint8Array(10).fill(9);
      queue.push(Uint8Array.of(1, 2, 3), body, undefined);
      assert.equal(queue.length, free === 3 ? 2 : 3);
      assert.equal(queue.items, 2);
      assert.equal(queue.bytes, SMALL_BLOCK_BYTES - free + 13);
      const sent = send(queue, 1 << 20);
      assert.deepEqual(sent.slice(-13), [1, 2, 3, ...body]);
      queue.release(Infinity);
      assert.deepEqual([queue.items, queue.bytes, pool.out.size], [0, 0, 0]);
    }
  });

  it("puts a head behind the last run only: after a large body it is one of its own", () => {
    const { queue } = make();
    put(queue, 1);
    queue.push(undefined, Uint8Array.of(2), undefined);
    queue.push(Uint8Array.of(3), Uint8Array.of(4), undefined);
    put(queue, 5);
    assert.equal(queue.length, 5);
    assert.equal(queue.items, 4);
    assert.deepEqual(send(queue, 10), [1, 2, 3, 4, 5]);
  });

  it("takes a small block, and a large one for what is larger, or once one was outgrown", () => {
    const { queue } = make();
    queue.reserve(SMALL_BLOCK_BYTES);
    assert.equal(queue.block.bytes.length, SMALL_BLOCK_BYTES);
    queue.reserve(1);
    assert.equal(queue.block.bytes.length, BLOCK_BYTES);
    send(queue, 1 << 20);
    queue.release(Infinity);
    queue.reserve(SMALL_BLOCK_BYTES); // two were needed: it stays large
    assert.equal(queue.block.bytes.length, BLOCK_BYTES);
    send(queue, 1 << 20);
    queue.release(Infinity);
    queue.reserve(1); // alone, a large one was not needed
    assert.equal(queue.block.bytes.length, SMALL_BLOCK_BYTES);
    const other = make().queue;
    other.reserve(SMALL_BLOCK_BYTES + 1);
    assert.equal(other.block.bytes.length, BLOCK_BYTES);
    other.reserve(BLOCK_BYTES - SMALL_BLOCK_BYTES - 1);
    assert.equal(other.length, 1);
    other.reserve(1);
    assert.equal(other.length, 2);
  });

  it("reserves without a question only what was allowed, in the block it was allowed for", () => {
    const { queue, account } = make(5);
    queue.allow(100); // there is no block
    assert.equal(queue.reserveAllowed(1), -1);
    put(queue, 1);
    assert.equal(queue.reserveAllowed(1), -1);
    queue.allow(10);
    assert.equal(queue.reserveAllowed(11), -1);
    assert.equal(queue.reserveAllowed(4), 1);
    assert.equal(queue.reserveAllowed(7), -1);
    assert.equal(queue.reserveAllowed(6), 5);
    assert.equal(queue.reserveAllowed(1), -1);
    assert.deepEqual([queue.items, queue.bytes, account.queued], [3, 11, 11]);
    queue.allow(1 << 20); // no more than the block has room for
    assert.equal(queue.reserveAllowed(SMALL_BLOCK_BYTES - 10), -1);
    assert.equal(queue.reserveAllowed(1), 11);
    assert.equal(queue.reserveAllowed(1), 12);
    assert.equal(queue.reserveAllowed(1), -1, "five items are there");
    for (const end of ["push", "release", "clear", "nothing"] as const) {
      const { queue } = make();
      put(queue, 1);
      queue.allow(10);
      if (end === "push") queue.push(undefined, Uint8Array.of(1), undefined);
      else if (end === "clear") queue.clear();
      else if (end === "nothing") queue.allow(0);
      else {
        send(queue, 1);
        queue.release(1);
      }
      assert.equal(queue.reserveAllowed(1), -1, end);
    }
    queue.push(undefined, Uint8Array.of(1), undefined);
    queue.allow(10); // the last run is no block
    assert.equal(queue.reserveAllowed(1), -1);
  });

  it("leaves lent memory to the runtime when it is emptied, and gives back the rest", () => {
    const { queue, pool, account } = make();
    queue.reserve(SMALL_BLOCK_BYTES);
    queue.reserve(BLOCK_BYTES);
    queue.reserve(BLOCK_BYTES);
    assert.equal(pool.out.size, 3);
    const first = [...pool.out][0]!;
    send(queue, SMALL_BLOCK_BYTES);
    assert.equal(queue.clear().length, 3);
    assert.deepEqual([...pool.out], [first]);
    assert.deepEqual([queue.length, queue.pending, queue.items, queue.bytes, queue.lent], [
      ...[0, 0, 0, 0, 0],
    ]);
    account.close();
    const half = make();
    half.queue.reserve(100);
    send(half.queue, 50); // some of it is the runtime's
    half.queue.clear();
    assert.equal(half.pool.out.size, 1);
    const freed = make();
    freed.queue.reserve(100);
    send(freed.queue, 50);
    freed.queue.release(50);
    freed.queue.clear();
    assert.equal(freed.pool.out.size, 0);
    assert.equal(freed.queue.reserve(1), 0);
    assert.deepEqual([freed.queue.pending, freed.queue.unsent], [1, 1]);
  });

  it("keeps what is added by whoever waited for the room that a release makes", () => {
    const waits = { queue: (n: number): void => void (n < 0 && add()) };
    const queue = new WriteQueue(256, new BlockPool(2), waits as unknown as ByteAccount);
    let add = (): void => {
      add = (): void => {};
      queue.push(Uint8Array.of(7, 8), new Uint8Array(40_000), undefined);
    };
    queue.reserve(1);
    queue.take(1);
    queue.release(1);
    assert.deepEqual(queue.parts(1).parts.map((part) => [...part.subarray(0, 2)]), [[7, 8]]);
    assert.equal(queue.unsent, 40_002);
  });

  it("gives what is next run by run, until there is enough of it", () => {
    const { queue } = make();
    put(queue, 1, 2);
    queue.push(undefined, Uint8Array.of(3, 4, 5), undefined);
    queue.push(undefined, new Uint8Array(8).fill(6), undefined);
    const all = queue.parts(14);
    assert.deepEqual(all.parts.map((part) => [...part]), [[1, 2], [3, 4, 5], Array(8).fill(6)]);
    assert.equal(all.bytes, 13);
    send(queue, 1);
    const { parts, bytes } = queue.parts(4);
    assert.deepEqual(parts.map((part) => [...part]), [[2], [3, 4, 5]]);
    assert.equal(bytes, 4);
    send(queue, 12);
    assert.deepEqual(queue.parts(4), { parts: [], bytes: 0 });
  });

  it("sends every byte once and in order, and counts exactly, whatever is done in whatever order", () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("small" as const), n: fc.integer({ min: 0, max: 6_000 }) }),
      fc.record({ what: fc.constant("large" as const), n: fc.integer({ min: 0, max: 9_000 }) }),
      fc.record({ what: fc.constant("headed" as const), n: fc.integer({ min: 1, max: 9_000 }) }),
      fc.record({ what: fc.constant("allowed" as const), n: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ what: fc.constant("take" as const), n: fc.integer({ min: 0, max: 12_000 }) }),
      fc.record({ what: fc.constant("parts" as const), n: fc.integer({ min: 1, max: 12_000 }) }),
      fc.record({ what: fc.constant("release" as const), n: fc.integer({ min: 0, max: 12_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { queue, pool, account } = make();
        let put = 0; // bytes put in, sent and released so far; each byte's value is its number
        let sent = 0;
        let released = 0;
        const ends: number[] = []; // of items that are not released
        const told: number[] = [];
        const value = (i: number): number => i * 7 & 255;
        const bytes = (n: number): Uint8Array =>
          Uint8Array.from({ length: n }, (_, i) => value(put + i));
        const check = (got: Uint8Array): void => {
          for (let i = 0; i < got.length; i++) assert.equal(got[i], value(sent + i));
        };
        for (const { what, n } of steps) {
          if (what === "small" || what === "allowed") {
            if (what === "allowed") queue.allow(n + n % 2);
            const at = what === "small" ? queue.reserve(n) : queue.reserveAllowed(n);
            if (at < 0) continue;
            queue.block.bytes.set(bytes(n), at);
            put += n;
            ends.push(put);
          } else if (what === "large" || what === "headed") {
            const head = what === "headed" ? bytes(Math.min(38, n)) : undefined;
            put += head?.length ?? 0;
            const body = bytes(n);
            put += n;
            const end = put;
            queue.push(head, body, () => told.push(end));
            ends.push(put);
          } else if (what === "take") {
            for (let left = Math.min(n, put - sent); left > 0;) {
              const run = queue.next!;
              const part = Math.min(left, run.end - run.taken);
              check(view(run, part));
              queue.take(part);
              sent += part;
              left -= part;
            }
          } else if (what === "parts") {
            const { parts, bytes } = queue.parts(n);
            for (const part of parts) {
              check(part);
              sent += part.length;
            }
            queue.take(bytes); // over several runs at once
          } else {
            const most = Math.min(n, sent - released);
            for (const { done } of queue.release(n)) done?.(undefined);
            released += most;
          }
          assert.equal(queue.bytes, put - released);
          assert.equal(account.queued, queue.bytes);
          assert.equal(queue.lent, sent - released);
          assert.equal(queue.unsent, put - sent);
          assert.ok(told.every((end) => end <= released), "told too early");
          assert.ok(queue.items >= ends.filter((end) => end > released).length);
          assert.ok(queue.length >= queue.pending && queue.pending >= 0);
        }
        while (queue.next !== undefined) queue.take(queue.next.end - queue.next.taken);
        for (const { done } of queue.release(Infinity)) done?.(undefined);
        assert.deepEqual([queue.length, queue.items, queue.bytes, queue.lent], [0, 0, 0, 0]);
        assert.equal(account.queued, 0);
        assert.equal(pool.out.size, 0);
      }),
      { numRuns: 300, seed: SEED, verbose: true },
    );
  });
});
