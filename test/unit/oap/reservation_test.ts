/** I-G2: a large frame waits for its memory before any of its body is taken. */
import assert from "node:assert/strict";
import { encodeFrame, FLAGS, framed, type FrameView } from "../../../src/oap/mod.ts";
import { describe, it } from "../../harness.ts";
import { concat, xorshift } from "../../vectors.ts";
import { FakeConnection } from "./fake_carrier.ts";

const SIZE = 300_000;

function frame(corrId: bigint): Uint8Array {
  const payload = xorshift(Number(corrId) + 1, SIZE);
  return encodeFrame({
    flags: FLAGS.EVENT,
    code: 0,
    appProtoId: 7,
    tenantId: 0n,
    corrId,
    payload,
  });
}

describe("reservations of frames", () => {
  it("I-G2: stop at the header until the memory is there, wherever reads are cut", async () => {
    const wire = concat([frame(1n), frame(2n)]);
    for (const readBytes of [37, 38, 39, 1_000, 65_536, 262_144]) {
      const connection = new FakeConnection();
      connection.grants = false;
      connection.readBytes = readBytes;
      const server = framed(connection);
      const batches = server.batches();
      let sent = 0;
      const seen: FrameView[] = [];
      let next = batches.next();
      while (seen.length < 2) {
        const report = connection.receive(wire.subarray(sent, sent + readBytes));
        sent = Math.min(wire.length, sent + readBytes);
        if (report.waits) {
          assert.equal(report.pause, true);
          assert.ok(report.owed > 0, "in the middle of a frame");
          assert.ok(report.retained <= readBytes + 38 + 128, `${report.retained} of ${readBytes}`);
          assert.equal(connection.reserved, SIZE + 38);
          connection.grants = true;
          connection.onGrant!();
          connection.grants = false;
          assert.ok(connection.resumed > 0);
        }
        const given = await Promise.race([next, Promise.resolve(undefined)]);
        if (given !== undefined) {
          seen.push(...given.value);
          next = batches.next();
        }
      }
      assert.deepEqual(seen.map(({ corrId }) => corrId), [1n, 2n]);
      assert.deepEqual(seen[1]!.payload, xorshift(3, SIZE));
      assert.equal(connection.error, undefined);
    }
  });

  it("become what is retained in one step when the frame is complete and nobody takes it", () => {
    const connection = new FakeConnection();
    const steps: string[] = [];
    const { retain, reserve } = connection;
    connection.retain = (bytes, finished) => {
      steps.push(`retain ${bytes} ${finished === true}`);
      retain.call(connection, bytes, finished);
    };
    connection.reserve = (bytes, onGrant) => {
      steps.push(`reserve ${bytes}`);
      return reserve.call(connection, bytes, onGrant);
    };
    framed(connection);
    const wire = concat([frame(1n), frame(2n)]);
    connection.receive(wire.subarray(0, SIZE));
    const report = connection.receive(wire.subarray(SIZE, SIZE + 1_000));
    assert.deepEqual(steps, [`reserve ${SIZE + 38}`, `retain ${SIZE + 38} true`]);
    assert.equal(report.pause, true, "one receive and more waits for the consumer");
  });

  it("are given back when the frame turns out bad, and when the connection closes", () => {
    const connection = new FakeConnection();
    framed(connection);
    connection.receive(frame(1n).subarray(0, SIZE / 2));
    assert.equal(connection.reserved, SIZE + 38);
    connection.end();
    assert.equal(connection.reserved, 0);
    assert.equal(connection.error?.kind, "malformed");
  });

  it("granted by what the application does with the frames before keep what came in order", () => {
    const connection = new FakeConnection();
    connection.grants = false;
    const link = framed(connection);
    const small = Array.from({ length: 600 }, (_, i) => {
      const payload = new Uint8Array(4);
      const corrId = BigInt(1_000 + i);
      return encodeFrame({
        flags: FLAGS.EVENT,
        code: 0,
        appProtoId: 7,
        tenantId: 0n,
        corrId,
        payload,
      });
    });
    const wire = concat([...small, frame(1n), frame(2n)]);
    connection.receive(wire.subarray(0, 40_000)); // more frames than may wait, and the head of a large one
    connection.receive(wire.subarray(40_000, 100_000));
    const seen: bigint[] = [];
    link.onBatch((batch) => {
      batch.forEach(({ corrId }) => void seen.push(corrId));
      const { onGrant } = connection;
      if (onGrant === undefined) return;
      connection.grants = true; // as where it breaks off another connection, which held memory
      connection.onGrant = undefined;
      onGrant();
    });
    connection.receive(wire.subarray(100_000));
    assert.equal(connection.error, undefined);
    assert.equal(seen.length, small.length + 2);
    assert.deepEqual(seen.slice(-2), [1n, 2n]);
  });
});
