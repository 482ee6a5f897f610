/** I-7: memory that connections of a transport share has one user at a time. */
import assert from "node:assert/strict";
import {
  type BorrowedBatch,
  encodeFrame,
  FLAGS,
  type Frame,
  framed,
} from "../../../src/oap/mod.ts";
import { describe, it } from "../../harness.ts";
import { concat, digest, xorshift } from "../../vectors.ts";
import { FakeConnection, settle } from "./fake_carrier.ts";

const SIZE = 50_000;

function event(id: number, size: number): Frame {
  const payload = xorshift(id, size);
  return { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 5n, corrId: BigInt(id), payload };
}

/** Connections of one transport. */
function connections(n: number): FakeConnection[] {
  const [first, ...others] = Array.from({ length: n }, () => new FakeConnection());
  for (const other of others) other.shared = first!.shared.bind(first);
  return [first!, ...others];
}

/** Takes a batch's frames as text. */
function seen(into: string[]): (batch: BorrowedBatch) => void {
  return (batch) =>
    batch.forEach((frame) => void into.push(`${frame.corrId} ${digest(frame.payload)}`));
}

function halves(wire: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [wire.subarray(0, wire.length / 2), wire.subarray(wire.length / 2)];
}

const said = (id: number): string => `${id} ${digest(event(id, SIZE).payload)}`;

describe("memory that connections share", () => {
  it("serves one frame at a time, also after frames and parts of one that waited in one piece", () => {
    const [first, a, b] = connections(3);
    const link = framed(first!, { fragments: true });
    first!.receive(
      concat([event(1, 100), event(2, 200_000)].map((frame) => encodeFrame(frame))).slice(
        0,
        60_000,
      ),
    );
    link.onBatch(() => {}); // it waited, copied: a frame, and a part of another one
    const came: string[] = [];
    for (const connection of [a!, b!]) framed(connection).onBatch(seen(came));
    const [third, fourth] = [3, 4].map((id) => halves(encodeFrame(event(id, SIZE))));
    for (const i of [0, 1] as const) {
      a!.receive(third![i]);
      b!.receive(fourth![i]);
    }
    assert.deepEqual(came, [said(3), said(4)]);
  });
});

describe("an answer", () => {
  it("has memory of its own, in which nothing of other connections is", async () => {
    const [other, connection] = connections(2);
    framed(other!).onBatch(() => {});
    for (const part of halves(encodeFrame(event(1, SIZE + 5_000)))) other!.receive(part);
    const link = framed(connection!);
    link.onBatch(() => {});
    const asked = link.request({ ...event(2, 10), flags: FLAGS.REQ });
    for (const part of halves(encodeFrame({ ...event(2, SIZE), flags: FLAGS.RESP }))) {
      connection!.receive(part);
    }
    const { payload } = await asked;
    assert.equal(digest(payload), digest(event(2, SIZE).payload));
    assert.ok(payload.buffer.byteLength <= 38 + SIZE);
  });
});

describe("a lent payload", () => {
  for (const owned of [false, true]) {
    it(`is safe to send on by another connection: ${owned ? "owned" : "lent"} receives`, async () => {
      const [from, to] = connections(2);
      from!.owned = owned;
      const out = framed(to!);
      framed(from!).onBatch((batch) => {
        batch.forEach((frame) => out.trySend(frame));
        for (const frame of batch) void out.send(frame);
      });
      const wire = encodeFrame(event(3, SIZE));
      from!.receive(wire);
      await settle();
      assert.equal(digest(to!.outbox.flush()), digest(concat([wire, wire])));
      for (const part of halves(wire)) from!.receive(part);
      from!.receive(encodeFrame(event(4, SIZE)).subarray(0, 30_000)); // in the same memory
      await settle();
      assert.equal(digest(to!.outbox.flush()), digest(concat([wire, wire])));
    });
  }
});
