/** I-G2: what waits for its consumer keeps no more memory than it counts. */
import assert from "node:assert/strict";
import { PART_BYTES } from "../../../src/sink.ts";
import { encodeFrame, FLAGS, type Frame, framed, type FrameView } from "../../../src/oap/mod.ts";
import { describe, it } from "../../harness.ts";
import { concat, xorshift } from "../../vectors.ts";
import { FakeConnection } from "./fake_carrier.ts";

const HEAD = { code: 0, appProtoId: 7, tenantId: 9n };

function event(id: number, size = 4): Uint8Array {
  const payload = xorshift(id + 1, size);
  return encodeFrame({ ...HEAD, flags: FLAGS.EVENT, corrId: BigInt(id), payload });
}

function request(id: number, size = 4): Uint8Array {
  const payload = new Uint8Array(size);
  return encodeFrame({ ...HEAD, flags: FLAGS.REQ, corrId: BigInt(id), payload });
}

const PACKED_BYTES = 9_000;

/** A compressed frame of seven times as many bytes. */
function packed(id: number): Uint8Array {
  const block = (type: number, size: number): number[] => {
    const bits = type << 1 | size << 3;
    return [bits & 255, bits >> 8 & 255, bits >> 16];
  };
  const payload = concat([
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50), // zstd, a window of 1 MiB
    Uint8Array.from(block(0, PACKED_BYTES)),
    xorshift(id, PACKED_BYTES),
    Uint8Array.from([...block(1, 6 * PACKED_BYTES), 7]), // one byte, repeated
    Uint8Array.of(1, 0, 0), // the last block, and nothing in it
  ]);
  const bytes = encodeFrame({ ...HEAD, flags: FLAGS.EVENT, corrId: BigInt(id), payload });
  bytes[7]! |= FLAGS.COMP;
  return bytes;
}

/** A connection whose consumer owes all the answers it may owe: further requests are refused. */
async function owing(owned: boolean) {
  const connection = new FakeConnection("listener", 100_000);
  connection.owned = owned;
  const batches = framed(connection).batches();
  const first = batches.next();
  connection.receive(concat(Array.from({ length: 64 }, (_, i) => request(i))));
  await first;
  return { connection, batches };
}

describe("what waits for a consumer", () => {
  for (const owned of [false, true]) {
    const whose = owned ? "owned" : "lent";

    it(`does not keep what was refused between the frames of ${whose} reads`, async () => {
      const { connection, batches } = await owing(owned);
      const refused = Array.from({ length: 60 }, (_, i) => request(100 + i, 1_000));
      for (let i = 0; i < 20; i++) {
        connection.receive(concat([event(2 * i), ...refused, event(2 * i + 1)]));
      }
      const counted = connection.reports.at(-1)!.retained;
      assert.equal(counted, 20 * PART_BYTES, "each batch counts for what it is at least");
      const frames: FrameView[] = [];
      for (let i = 0; i < 20; i++) frames.push(...(await batches.next()).value!);
      assert.deepEqual(frames.map(({ corrId }) => Number(corrId)), [...Array(40).keys()]);
      frames.forEach((frame, i) => assert.deepEqual(frame.payload, xorshift(i + 1, 4)));
      const memory = new Set(frames.map(({ bytes }) => bytes.buffer));
      const kept = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
      assert.ok(kept <= counted, `${kept} bytes are kept, ${counted} are counted`);
    });

    it(`is what came, in order, when only parts of ${whose} reads are frames for it`, async () => {
      const { connection, batches } = await owing(owned);
      const large = event(3, 20_000);
      const parts = [event(1), request(90), event(2), large, request(91), request(92), event(4)];
      const wire = concat(parts);
      connection.readBytes = 7_000;
      connection.receive(wire);
      const frames: FrameView[] = [];
      while (frames.length < 4) frames.push(...(await batches.next()).value!);
      assert.deepEqual(frames.map(({ corrId }) => corrId), [1n, 2n, 3n, 4n]);
      for (const { corrId, payload } of frames) {
        assert.deepEqual(payload, xorshift(Number(corrId) + 1, corrId === 3n ? 20_000 : 4));
      }
    });
  }

  it("is not more, inflated, than a connection that ended left behind", async () => {
    const connection = new FakeConnection();
    const batches = framed(connection).batches();
    connection.receive(concat([packed(1), packed(2)]));
    connection.receive(concat([3, 4, 5, 6].map(packed)));
    void connection.close();
    const { left } = connection;
    assert.ok(left > 4 * PACKED_BYTES);
    for (let id = 1; id <= 6;) {
      for (const frame of (await batches.next()).value!) {
        assert.equal(frame.corrId, BigInt(id++));
        assert.equal(frame.payloadBytes, 7 * PACKED_BYTES);
      }
      const most = Math.max(0, ...connection.retained);
      assert.ok(most <= left, `${most} bytes are kept, ${left} were left behind`);
    }
    assert.equal((await batches.next()).done, true);
    assert.equal(connection.retained.at(-1), 0);
  });

  it("counts the capability of a frame in parts, which lies apart from its payload", () => {
    const connection = new FakeConnection();
    framed(connection, { fragments: true });
    const frame: Frame = {
      ...HEAD,
      flags: FLAGS.EVENT | FLAGS.START,
      corrId: 1n,
      capability: new Uint8Array(65_535),
      payload: new Uint8Array(0),
    };
    const report = connection.receive(encodeFrame(frame));
    assert.equal(report.retained, 38 + 65_535);
    assert.equal(report.pause, true);
  });

  it("counts at least what its objects cost, be there ever so little in it", () => {
    const connection = new FakeConnection();
    framed(connection);
    for (let i = 0; i < 100; i++) connection.receive(event(i, 0));
    assert.equal(connection.reports.at(-1)!.retained, 100 * PART_BYTES);
  });
});

describe("a request that is refused later, as the inbox is full", () => {
  it("is refused under its own id, though its read has other bytes by then", () => {
    const connection = new FakeConnection("listener", 1);
    const server = framed(connection);
    connection.receive(concat(Array.from({ length: 70 }, (_, i) => request(i))));
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) {
      const refusal = connection.outbox.flush();
      const view = new DataView(refusal.buffer);
      assert.deepEqual([refusal.length, view.getUint16(6), view.getUint16(8)], [
        38,
        FLAGS.RESP,
        429,
      ]);
      assert.equal(view.getBigUint64(20), 9n, "the tenant");
      ids.push(Number(view.getBigUint64(30)));
    }
    assert.deepEqual(ids, [64, 65, 66, 67, 68, 69]);
    assert.equal(connection.outbox.flush().length, 0);
    assert.equal(server.counters.dropped, 0);
  });
});
