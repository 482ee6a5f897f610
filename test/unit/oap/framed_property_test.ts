import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeFrame, FLAGS, type Frame, framed } from "../../../src/oap/mod.ts";
import { concat, digest, xorshift } from "../../vectors.ts";
import { FakeConnection, settle } from "./fake_carrier.ts";

interface Seen {
  id: bigint;
  sha: string;
}

const sizes = fc.array(
  fc.oneof(fc.nat(60), fc.nat(9000), fc.integer({ min: 60_000, max: 150_000 })),
  {
    minLength: 1,
    maxLength: 12,
  },
);
const reads = fc.constantFrom(1000, 4096, 16_384, 65_536, 524_288);

function make(size: number, i: number): Frame {
  const payload = xorshift(i + 1, size);
  return { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: BigInt(i), payload };
}

function input(list: number[]): { bytes: Uint8Array; expected: Seen[] } {
  const frames = list.map(make);
  return {
    bytes: concat(frames.map((frame) => encodeFrame(frame))),
    expected: frames.map((frame) => ({ id: frame.corrId, sha: digest(frame.payload) })),
  };
}

describe("framed properties", () => {
  it("lends every frame once, in order and whole, whatever the reads and the reused memory", () => {
    fc.assert(
      fc.property(
        sizes,
        reads,
        fc.boolean(),
        fc.boolean(),
        (list, readBytes, owned, checkBorrows) => {
          const { bytes, expected } = input(list);
          const connection = new FakeConnection();
          connection.readBytes = readBytes;
          connection.owned = owned;
          const seen: Seen[] = [];
          framed(connection, { checkBorrows }).onBatch((batch) => {
            batch.forEach((frame) => seen.push({ id: frame.corrId, sha: digest(frame.payload) }));
          });
          connection.receive(bytes);
          assert.deepEqual(seen, expected);
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });

  it("I-7: gives every frame memory that stays, even when looked at only at the end", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, reads, fc.boolean(), async (list, readBytes, owned) => {
        const { bytes, expected } = input(list);
        const connection = new FakeConnection();
        connection.readBytes = readBytes;
        connection.owned = owned;
        const server = framed(connection);
        connection.receive(bytes);
        connection.end();
        const batches = [];
        for await (const batch of server.batches()) batches.push(batch);
        const seen = batches.flatMap((batch) => [...batch]);
        assert.deepEqual(seen.map((f) => ({ id: f.corrId, sha: digest(f.payload) })), expected);
      }),
      { numRuns: 60, seed: 12 },
    );
  });

  it("keeps an answer's memory apart from what is lent again", async () => {
    const connection = new FakeConnection("dialer");
    const client = framed(connection);
    client.onBatch(() => {});
    const ask: Frame = { ...make(1, 0), flags: FLAGS.REQ };
    const answer = client.request(ask);
    const body = xorshift(77, 100_000);
    connection.readBytes = 30_000;
    connection.receive(encodeFrame({ ...ask, flags: FLAGS.RESP, code: 200, payload: body }));
    const frame = await answer;
    for (let i = 0; i < 5; i++) connection.receive(encodeFrame(make(100_000, i)));
    await settle();
    assert.equal(digest(frame.payload), digest(body));
  });
});

describe("a draining transport", () => {
  it("closes at once when nothing is in flight", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    connection.drain();
    assert.equal((await server.closed).kind, "closed");
  });

  it("waits for answers in both directions", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    const request: Frame = { ...make(1, 1), flags: FLAGS.REQ };
    connection.receive(encodeFrame(request));
    const answer = server.request({ ...request, corrId: 9n });
    connection.drain();
    server.trySend({ ...request, flags: FLAGS.RESP, code: 200 });
    await settle();
    assert.equal(connection.signal.aborted, false);
    connection.receive(encodeFrame({ ...request, corrId: 9n, flags: FLAGS.RESP, code: 200 }));
    await answer;
    assert.equal((await server.closed).kind, "closed");
  });

  it("closes with the last answer sent", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    const request: Frame = { ...make(1, 1), flags: FLAGS.REQ };
    connection.receive(encodeFrame(request));
    connection.drain();
    server.trySend({ ...request, flags: FLAGS.RESP, code: 200 });
    assert.equal((await server.closed).kind, "closed");
  });
});
