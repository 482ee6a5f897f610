import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FramePool } from "../../../src/oap/assembly.ts";
import {
  type BorrowedBatch,
  Decoder,
  encodeFrame,
  FLAGS,
  type Frame,
  framed,
  type FrameView,
} from "../../../src/oap/mod.ts";
import { TransportError } from "../../../src/errors.ts";
import { concat, digest, xorshift } from "../../vectors.ts";
import { FakeConnection } from "./fake_carrier.ts";

function event(corrId: bigint, size: number, more: Partial<Frame> = {}): Frame {
  const payload = xorshift(Number(corrId) + 1, size);
  return { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 5n, corrId, payload, ...more };
}

function misuse(error: unknown): boolean {
  return TransportError.is(error) && error.kind === "misuse";
}

/** What an application makes of parts: frames again, in the order of their last byte. */
class Joiner {
  readonly frames: { id: bigint; flags: number; capability: string; sha: string }[] = [];
  readonly #open = new Map<bigint, Uint8Array[]>();

  take(frame: FrameView): void {
    const parts = this.#open.get(frame.corrId) ?? [];
    assert.equal(frame.offset, parts.reduce((sum, part) => sum + part.length, 0));
    assert.equal(frame.payload.length, frame.payloadBytes);
    assert.deepEqual(
      frame.bytes.subarray(frame.payloadAt, frame.payloadAt + frame.payloadBytes),
      frame.payload,
    );
    parts.push(frame.copyPayload());
    this.#open.set(frame.corrId, parts);
    if (!frame.last) return;
    this.#open.delete(frame.corrId);
    const body = concat(parts);
    assert.equal(frame.len, 38 + frame.capabilityBytes + body.length);
    const capability = digest(frame.capability ?? new Uint8Array(0));
    this.frames.push({ id: frame.corrId, flags: frame.flags, capability, sha: digest(body) });
  }

  get unfinished(): number {
    return this.#open.size;
  }
}

const lists = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(100), fc.integer({ min: 16_000, max: 17_000 }), fc.nat(200_000)),
    fc.oneof(fc.constant(0), fc.constant(0), fc.nat(20_000)),
  ),
  { minLength: 1, maxLength: 6 },
).map((list) =>
  list.map(([size, cap], i) =>
    event(
      BigInt(i),
      size,
      cap > 0 ? { flags: FLAGS.EVENT | FLAGS.START, capability: xorshift(i + 9, cap) } : {},
    )
  )
);

function expected(frames: readonly Frame[]): unknown {
  return frames.map(({ corrId, flags, capability, payload }) => ({
    id: corrId,
    flags,
    capability: digest(capability ?? new Uint8Array(0)),
    sha: digest(payload),
  }));
}

describe("fragments", () => {
  it("join to the frames that were sent, for any split, pushed or lent", () => {
    fc.assert(
      fc.property(
        lists,
        fc.integer({ min: 1, max: 70_000 }),
        fc.boolean(),
        (frames, read, lent) => {
          const bytes = concat(frames.map((frame) => encodeFrame(frame)));
          const decoder = new Decoder({ fragments: true });
          const joiner = new Joiner();
          const step = Math.max(read, Math.ceil(bytes.length / 300));
          for (let at = 0; at < bytes.length; at += step) {
            const part = bytes.slice(at, at + step);
            if (lent) decoder.lend(part, (batch) => batch.forEach((frame) => joiner.take(frame)));
            else for (const frame of decoder.push(part)) joiner.take(frame);
            assert.ok(decoder.retained < 38 + 20_000 + 16_384, "holds no body");
          }
          assert.deepEqual(joiner.frames, expected(frames));
          assert.equal(joiner.unfinished, 0);
          assert.equal(decoder.completed, frames.length);
          assert.equal(decoder.owed, 0);
        },
      ),
      { numRuns: 80, seed: 31 },
    );
  });

  it("hand on a body as it arrives, and hold nothing of it", () => {
    const frame = event(3n, 100_000);
    const bytes = encodeFrame(frame);
    const decoder = new Decoder({ fragments: true });
    const first = decoder.push(bytes.subarray(0, 40_000)).at(0) as FrameView;
    assert.deepEqual(
      [first.len, first.offset, first.last, first.payloadBytes, first.corrId],
      [100_038, 0, false, 39_962, 3n],
    );
    assert.equal(first.payload.buffer, bytes.buffer, "not copied");
    assert.deepEqual([decoder.retained, decoder.owed, decoder.completed], [0, 60_038, 0]);
    const second = decoder.push(bytes.subarray(40_000, 40_001)).at(0) as FrameView;
    assert.deepEqual([second.offset, second.payloadBytes, second.last], [39_962, 1, false]);
    const third = decoder.push(bytes.subarray(40_001)).at(0) as FrameView;
    assert.deepEqual([third.offset, third.last, third.tenantId], [39_963, true, 5n]);
    assert.throws(() => third.toFrame(), misuse);
    assert.equal(decoder.completed, 1);
    assert.equal(decoder.end(), undefined);
  });

  it("are not made of small frames, of compressed ones, or without being asked for", () => {
    const small = encodeFrame(event(1n, 16_000));
    const comp = encodeFrame(event(1n, 50_000, { flags: FLAGS.EVENT | FLAGS.COMP }));
    for (
      const [bytes, options] of [[small, { fragments: true }], [comp, { fragments: true }], [
        encodeFrame(event(1n, 50_000)),
        {},
      ]] as const
    ) {
      const decoder = new Decoder(options);
      assert.equal(decoder.push(bytes.subarray(0, 1000)).length, 0);
      assert.equal(decoder.retained, 1000);
    }
  });

  it("end in a fault when the input does", () => {
    const decoder = new Decoder({ fragments: true });
    decoder.push(encodeFrame(event(1n, 50_000)).subarray(0, 30_000));
    assert.equal(decoder.end()?.fault, "TruncatedHeader");
  });
});

describe("whole()", () => {
  it("asks for the rest of a frame in one piece", () => {
    for (const lent of [false, true]) {
      const frame = event(3n, 100_000);
      const bytes = concat([encodeFrame(frame), encodeFrame(event(4n, 3))]);
      const decoder = new Decoder({ fragments: true });
      const seen: (string | undefined)[] = [];
      const look = (view: FrameView): void => {
        const whole = view.whole();
        seen.push(whole && digest(whole));
      };
      for (let at = 0; at < bytes.length; at += 30_000) {
        const part = bytes.slice(at, at + 30_000);
        if (lent) decoder.lend(part, (batch) => batch.forEach(look));
        else decoder.push(part).forEach(look);
      }
      assert.deepEqual(seen, [undefined, digest(frame.payload), digest(xorshift(5, 3))]);
      assert.equal(decoder.completed, 2);
    }
  });

  it("comes too late on a later part, and after more was read", () => {
    const bytes = encodeFrame(event(3n, 100_000));
    const decoder = new Decoder({ fragments: true });
    const first = decoder.push(bytes.subarray(0, 30_000)).at(0) as FrameView;
    const second = decoder.push(bytes.subarray(30_000, 60_000)).at(0) as FrameView;
    assert.throws(() => first.whole(), misuse);
    assert.throws(() => second.whole(), misuse);
    assert.equal(decoder.push(bytes.subarray(60_000)).at(0)?.last, true, "goes on all the same");
  });
});

describe("fragments on a connection", () => {
  function feed(connection: FakeConnection, bytes: Uint8Array): void {
    connection.readBytes = 30_000;
    connection.receive(bytes);
  }

  it("come to onBatch and batches, counted once", async () => {
    const frames = [event(1n, 100_000), event(2n, 10), event(3n, 70_000)];
    const bytes = concat(frames.map((frame) => encodeFrame(frame)));
    for (const lent of [true, false]) {
      const connection = new FakeConnection();
      const server = framed(connection, { fragments: true, checkBorrows: lent });
      const joiner = new Joiner();
      if (lent) server.onBatch((batch) => batch.forEach((frame) => joiner.take(frame)));
      feed(connection, bytes);
      connection.end();
      if (!lent) {
        for await (const batch of server.batches()) for (const f of batch) joiner.take(f);
      }
      assert.deepEqual(joiner.frames, expected(frames));
      assert.equal(server.counters.framesIn, 3);
      assert.equal(server.counters.bytesIn, bytes.length);
      // what is decoded as the consumer takes what came before is reported with the next receive
      const completed = connection.reports.reduce((sum, report) => sum + report.completed, 0);
      assert.equal(completed, lent ? 3 : 0);
      assert.ok(connection.reports.every((report) => report.retained < 16_384 || !lent));
    }
  });

  it("leave answers and refused requests whole, or out", async () => {
    const connection = new FakeConnection();
    const peer = framed(connection, { fragments: true, maxInflight: 1 });
    const seen: bigint[] = [];
    peer.onBatch((batch) => batch.forEach((frame) => seen.push(frame.corrId)));
    const answer = peer.request({ ...event(9n, 1), flags: FLAGS.REQ });
    const large = event(9n, 80_000, { flags: FLAGS.RESP, code: 200 });
    feed(connection, encodeFrame(large));
    assert.equal(digest((await answer).payload), digest(large.payload));
    const asked = [event(1n, 10, { flags: FLAGS.REQ }), event(2n, 80_000, { flags: FLAGS.REQ })];
    feed(connection, concat([...asked, event(5n, 10)].map((frame) => encodeFrame(frame))));
    assert.deepEqual(seen, [1n, 5n], "the second request was refused, all parts of it");
    assert.equal(peer.counters.refused, 1);
  });

  it("give a frame that was asked for whole to the application, not twice to the counters", () => {
    const connection = new FakeConnection();
    const server = framed(connection, { fragments: true });
    const seen: string[] = [];
    server.onBatch((batch) =>
      batch.forEach((frame) => {
        const whole = frame.whole();
        if (whole !== undefined) seen.push(`${frame.corrId} ${digest(whole)}`);
      })
    );
    const frames = [event(1n, 100_000, { flags: FLAGS.REQ }), event(2n, 10, { flags: FLAGS.REQ })];
    feed(connection, concat(frames.map((frame) => encodeFrame(frame))));
    assert.deepEqual(seen, frames.map((frame) => `${frame.corrId} ${digest(frame.payload)}`));
    assert.equal(server.counters.framesIn, 2);
  });
});

describe("loans", () => {
  it("I-7: end with the callback, for every view made in it", () => {
    const decoder = new Decoder();
    const kept: FrameView[] = [];
    let batch: BorrowedBatch | undefined;
    const bytes = concat([event(1n, 5), event(2n, 5)].map((frame) => encodeFrame(frame)));
    decoder.lend(bytes, (lent) => {
      batch = lent;
      kept.push(lent.at(1) as FrameView, ...lent);
      lent.forEach((frame) => kept.push(frame));
    });
    assert.equal(kept.length, 5);
    for (const view of kept) {
      assert.throws(() => view.payload, misuse);
      assert.throws(() => view.flags, misuse);
      assert.throws(() => view.toFrame(), misuse);
    }
    assert.throws(() => batch?.copy(), misuse);
  });

  it("use one buffer again for frames that span pushes, and checkBorrows shows who kept it", () => {
    for (const checkBorrows of [false, true]) {
      const decoder = new Decoder({ checkBorrows });
      const kept: Uint8Array[] = [];
      for (const id of [1n, 2n]) {
        const bytes = encodeFrame(event(id, 100_000));
        for (const part of [bytes.subarray(0, 70_000), bytes.subarray(70_000)]) {
          decoder.lend(part, (batch) => batch.forEach((frame) => kept.push(frame.payload)));
        }
      }
      const [first, second] = kept as [Uint8Array, Uint8Array];
      if (checkBorrows) {
        for (const view of kept) assert.ok(view.every((byte) => byte === 0xdb), "spoilt");
      } else {
        assert.equal(first.buffer, second.buffer);
        assert.equal(digest(first), digest(second), "the kept payload is another frame's");
      }
    }
  });

  it("keep spare buffers, of which one that is about as large as wanted is used again", () => {
    const pool = new FramePool();
    const [small, large] = [5_000, 200_000].map((n) => new Uint8Array(n));
    pool.give(small!);
    pool.give(large!);
    assert.equal(pool.takeSpare(200_001), undefined);
    assert.equal(pool.takeSpare(5_001), undefined, "nobody counts what is too much");
    assert.equal(pool.takeSpare(200_000 - 65_574 - 1), undefined);
    const taken = pool.take(200_000 - 65_574);
    assert.equal(taken.buffer, large!.buffer);
    assert.equal(taken.length, 200_000 - 65_574);
    assert.equal(pool.takeSpare(150_000), undefined, "it is out");
    assert.equal(pool.takeSpare(1)?.buffer, small!.buffer);
    pool.give(taken);
    assert.equal(pool.takeSpare(200_000)?.buffer, large!.buffer, "all of it is back");
  });

  it("keep eight spare buffers and 2 MiB of them, the larger ones", () => {
    const pool = new FramePool();
    const many = Array.from({ length: 9 }, (_, i) => new Uint8Array(20_000 + i));
    for (const bytes of many) pool.give(bytes);
    const kept = many.map(() => pool.takeSpare(1)?.buffer.byteLength).filter((n) =>
      n !== undefined
    );
    assert.deepEqual(kept.toSorted(), many.slice(1).map(({ length }) => length));
    const frames = Array.from({ length: 3 }, () => new Uint8Array(1_048_576));
    for (const bytes of frames) pool.give(bytes);
    pool.give(new Uint8Array(20_000));
    assert.equal(pool.takeSpare(20_000), undefined, "two frames are all that is kept");
    assert.deepEqual([1, 2, 3].map(() => pool.takeSpare(1_048_576)?.buffer !== undefined), [
      true,
      true,
      false,
    ]);
  });
});

describe("a batch", () => {
  it("finds any place in any order", () => {
    const frames = Array.from({ length: 40 }, (_, i) => event(BigInt(i), i));
    const bytes = concat(frames.map((frame) => encodeFrame(frame)));
    const decoder = new Decoder();
    decoder.push(bytes.subarray(0, 20));
    const batch = decoder.push(bytes.subarray(20));
    for (const i of [0, 1, 7, 3, 39, 38, 0, -1, -40, 20]) {
      assert.equal(batch.at(i)?.corrId, BigInt(i < 0 ? 40 + i : i));
    }
    for (const i of [40, -41, NaN, 1.5]) assert.equal(batch.at(i), undefined);
  });

  it("says so when the bytes under it were changed", () => {
    for (const len of [0, 37, 1000]) {
      const bytes = concat([event(1n, 5), event(2n, 5)].map((frame) => encodeFrame(frame)));
      const batch = new Decoder().push(bytes);
      new DataView(bytes.buffer).setUint32(43, len);
      assert.throws(() => batch.forEach(() => {}), misuse);
      assert.throws(() => [...batch], misuse);
      assert.throws(() => batch.at(1), misuse);
    }
  });
});
