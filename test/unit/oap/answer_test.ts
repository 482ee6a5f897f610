/** Answering with a request's own ids, and sending many frames at once. */
import assert from "node:assert/strict";
import { framed } from "../../../src/oap/framed.ts";
import { CodecError, FLAGS, type Frame, type FramedConnection } from "../../../src/oap/mod.ts";
import { TransportError } from "../../../src/errors.ts";
import { duplexPair } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

const REQ: Frame = {
  flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
  code: 0,
  appProtoId: 0x0102,
  tenantId: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeffn,
  corrId: 0xfedc_ba98_7654_3210n,
  payload: new Uint8Array([1, 2, 3]),
};

function event(n: number, bytes = 64): Frame {
  const payload = new Uint8Array(bytes).fill(n & 0xff);
  return { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: BigInt(n), payload };
}

function misuse(error: unknown): boolean {
  return TransportError.is(error) && error.kind === "misuse";
}

async function withPair(
  work: (near: FramedConnection, far: FramedConnection) => Promise<void>,
): Promise<void> {
  await using pair = await duplexPair();
  await work(framed(pair.near), framed(pair.far));
}

/** Takes frames until `count` have come. */
async function take(link: FramedConnection, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const batch of link.batches()) {
    for (const frame of batch) frames.push(frame.toFrame());
    if (frames.length >= count) break;
  }
  return frames;
}

describe("answering", () => {
  it("gives the answer the request's protocol, tenant and id, all bits of them", () =>
    withPair(async (near, far) => {
      far.onBatch((batch) =>
        batch.forEach((frame) => far.tryAnswer(frame, { code: 200, payload: frame.payload }))
      );
      for (let i = 0n; i < 70n; i++) { // some are timed, and take the other way
        const answer = await near.request({ ...REQ, corrId: REQ.corrId + i });
        assert.deepEqual(answer.payload, REQ.payload);
        assert.equal(answer.flags, FLAGS.RESP);
        assert.equal(answer.code, 200);
        assert.equal(answer.appProtoId, REQ.appProtoId);
        assert.equal(answer.tenantId, REQ.tenantId);
        assert.equal(answer.corrId, REQ.corrId + i);
      }
    }));

  it("takes a request that was kept, more flags, no payload, and a large payload", () =>
    withPair(async (near, far) => {
      const answers = [
        { code: 204 },
        { code: 200, flags: FLAGS.START | FLAGS.END, payload: new Uint8Array(1) },
        { code: 200, payload: new Uint8Array(100_000).fill(5) },
      ];
      let next = 0;
      far.onBatch((batch) => {
        for (const frame of batch) {
          const kept = frame.toFrame();
          setTimeout(() => void far.answer(kept, answers[next++]!), 0);
        }
      });
      for (const { code, flags = 0, payload = new Uint8Array(0) } of answers) {
        const answer = await near.request(REQ);
        assert.equal(answer.code, code);
        assert.equal(answer.flags, FLAGS.RESP | flags);
        assert.deepEqual(answer.payload, payload);
      }
    }));

  it("answers from a lent request while nobody else has room, with a copy", () =>
    withPair(async (near, far) => {
      const answered: Promise<void>[] = [];
      far.onBatch((batch) =>
        batch.forEach((frame) => {
          far.trySendAll(Array.from({ length: 256 }, () => event(1)));
          answered.push(far.answer(frame, { code: 200, payload: frame.payload }));
        })
      );
      near.onBatch(() => {});
      assert.deepEqual((await near.request(REQ)).payload, REQ.payload);
      await Promise.all(answered);
    }));

  it("makes room for the next request", () =>
    withPair(async (near, far) => {
      const lowered = far;
      lowered.onBatch((batch) => batch.forEach((frame) => lowered.tryAnswer(frame, { code: 200 })));
      for (let i = 0n; i < 200n; i++) {
        assert.equal((await near.request({ ...REQ, corrId: i })).code, 200);
      }
      assert.equal(far.counters.refused, 0);
    }));

  it("refuses what is no request, and what cannot be encoded", () =>
    withPair(async (near, far) => {
      const frames = take(far, 2);
      await near.send(event(1));
      await near.send(REQ);
      const [none, asked] = await frames as [Frame, Frame];
      assert.throws(() => far.tryAnswer(none, { code: 200 }), misuse);
      await assert.rejects(far.answer(none, { code: 200 }), misuse);
      assert.throws(() => far.tryAnswer(asked, { code: 65_536 }), misuse);
      assert.throws(
        () => far.tryAnswer(asked, { code: 200, flags: FLAGS.EVENT }),
        (error) => error instanceof CodecError && error.fault === "BadFlags",
      );
      assert.equal(far.counters.framesOut, 0);
    }));

  it("refuses the same of a frame that is still lent", () =>
    withPair(async (near, far) => {
      const thrown: unknown[] = [];
      const attempt = (work: () => void): void => {
        try {
          work();
        } catch (error) {
          thrown.push(error);
        }
      };
      const seen = new Promise<void>((resolve) =>
        far.onBatch((batch) => {
          batch.forEach((frame) => {
            attempt(() => far.tryAnswer(frame, { code: 200 }));
            attempt(() => far.tryAnswer(frame, { code: -1 }));
          });
          resolve();
        })
      );
      await near.send(event(1));
      await seen;
      assert.equal(thrown.length, 2);
      assert.ok(thrown.every(misuse));
    }));
});

describe("sending many frames at once", () => {
  it("keeps the order over many waits, small and large ones mixed", () =>
    withPair(async (near, far) => {
      const frames = Array.from({ length: 1_500 }, (_, i) => event(i, i % 100 === 3 ? 70_000 : 64));
      const came = take(far, frames.length);
      await near.sendAll(frames);
      (await came).forEach((frame, i) => {
        assert.equal(frame.corrId, BigInt(i));
        assert.deepEqual(frame.payload, frames[i]!.payload);
      });
    }));

  it("sends what comes before a frame that breaks a rule", () =>
    withPair(async (near, far) => {
      const bad = { ...event(2), flags: 0 };
      const isBad = (error: unknown): boolean =>
        error instanceof CodecError && error.fault === "BadFlags";
      await assert.rejects(near.sendAll([event(0), event(1), bad, event(3)]), isBad);
      assert.equal(near.trySendAll([event(2), bad, event(3)]), 1);
      assert.throws(() => near.trySendAll([event(2), bad, event(3)], 1), isBad);
      const came = await take(far, 3);
      assert.deepEqual(came.map(({ corrId }) => corrId), [0n, 1n, 2n]);
    }));

  it("takes no more than the inbox holds, waits its turn, and is called off by a signal", () =>
    withPair(async (near, far) => {
      const all = Array.from({ length: 600 }, (_, i) => event(i));
      assert.equal(near.trySendAll(all), 256);
      assert.equal(near.trySendAll(all, 256), 0);
      const waiting = near.sendAll(all.slice(256));
      const stop = new AbortController();
      const never = near.sendAll([event(9_999)], { signal: stop.signal });
      stop.abort(new Error("called off"));
      assert.equal(near.trySendAll([event(9_998)]), 0, "nobody overtakes");
      await assert.rejects(never, /called off/);
      const came = take(far, 600);
      await waiting;
      assert.deepEqual((await came).map(({ corrId }) => Number(corrId)), all.map((_, i) => i));
    }));

  it("nothing to send is sent at once; a closed connection is told", () =>
    withPair(async (near, far) => {
      far.onBatch(() => {});
      await near.sendAll([]);
      assert.equal(near.trySendAll([]), 0);
      await near.close();
      await assert.rejects(near.sendAll([event(1)]), misuse);
      assert.throws(() => near.trySendAll([event(1)]), misuse);
    }));
});
