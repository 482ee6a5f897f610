import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type BorrowedBatch,
  CodecError,
  encodeFrame,
  encodeHelloRequest,
  FLAGS,
  fragment,
  type Frame,
  framed,
  type FrameView,
} from "../../../src/oap/mod.ts";
import { TransportError } from "../../../src/errors.ts";
import { OapTotals } from "../../../src/oap/totals.ts";
import { concat, fromHex, toHex, xorshift } from "../../vectors.ts";
import { FakeConnection, settle, wire } from "./fake_carrier.ts";

const HEAD = { code: 0, appProtoId: 7, tenantId: 0xAAn };

function event(corrId: bigint, payload: Uint8Array = new Uint8Array(4)): Frame {
  return { ...HEAD, flags: FLAGS.EVENT, corrId, payload };
}

function req(corrId: bigint, payload: Uint8Array = new Uint8Array(4)): Frame {
  return { ...HEAD, flags: FLAGS.REQ, corrId, payload };
}

function resp(frame: Frame, code = 200): Frame {
  const { appProtoId, tenantId, corrId, payload } = frame;
  return { flags: FLAGS.RESP, code, appProtoId, tenantId, corrId, payload };
}

function many(n: number, make: (corrId: bigint) => Frame = event): Uint8Array {
  return concat(Array.from({ length: n }, (_, i) => encodeFrame(make(BigInt(i)))));
}

function kind(expected: string): (error: unknown) => boolean {
  return (error) => TransportError.is(error) && error.kind === expected;
}

describe("framed: taking frames", () => {
  for (const fault of [false, true]) {
    it(`ends after all that had come when this side closed first${fault ? ", or with the fault in it" : ""}`, async () => {
      const connection = new FakeConnection();
      const server = framed(connection);
      const bad = fault ? new Uint8Array(38).fill(0xff) : encodeFrame(event(0n)).subarray(0, 20);
      connection.receive(concat([many(600), bad]));
      await connection.close();
      assert.deepEqual(OapTotals.of(connection).queued, 0, "it is not kept");
      assert.equal(OapTotals.of(connection).counters().framesIn, 512);
      let frames = 0;
      const all = (async () => {
        for await (const batch of server.batches()) frames += batch.length;
      })();
      if (fault) await assert.rejects(all, kind("malformed"));
      else await all;
      assert.equal(frames, 600);
      assert.equal(connection.retained.at(-1), 0);
      const { framesIn, rejects } = OapTotals.of(connection).counters();
      assert.equal(framesIn, 600, "frames that were decoded late are counted, once");
      assert.equal(Object.values(rejects).reduce((sum, n) => sum + n, 0), fault ? 1 : 0);
    });
  }

  it("I-7: gives batches memory of their own, whatever the read buffer does", async () => {
    const connection = new FakeConnection();
    connection.readBytes = 1000;
    const server = framed(connection);
    const payload = xorshift(3, 5000);
    connection.receive(
      concat([
        encodeFrame(event(1n, payload)),
        encodeFrame(event(2n)),
        encodeFrame(event(3n, payload)),
      ]),
    );
    connection.end();
    const seen: FrameView[] = [];
    for await (const batch of server.batches()) seen.push(...batch);
    assert.deepEqual(seen.map((frame) => frame.corrId), [1n, 2n, 3n]);
    assert.deepEqual(seen[0]?.payload, payload);
    assert.deepEqual(seen[2]?.payload, payload);
  });

  it("yields frames one by one", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    connection.receive(many(3));
    connection.end();
    const ids: bigint[] = [];
    for await (const frame of server.frames()) ids.push(frame.corrId);
    assert.deepEqual(ids, [0n, 1n, 2n]);
  });

  it("lends to onBatch, and ends the loan when it returns", () => {
    const connection = new FakeConnection();
    connection.readBytes = 100;
    const server = framed(connection);
    const kept: { batch?: BorrowedBatch; view?: FrameView } = {};
    let sum = 0;
    server.onBatch((batch) => {
      kept.batch = batch;
      kept.view = batch.at(0) as FrameView;
      batch.forEach((frame) => sum += frame.payload.length);
    });
    connection.receive(many(30));
    assert.equal(sum, 120);
    assert.equal(kept.batch?.live, false);
    assert.throws(() => kept.batch?.at(0), kind("misuse"));
    assert.throws(() => kept.view?.corrId, kind("misuse"));
    assert.throws(() => kept.view?.payload, kind("misuse"));
  });

  it("I-7: spoils lent arrays under checkBorrows, and copies survive", () => {
    const connection = new FakeConnection();
    const server = framed(connection, { checkBorrows: true });
    let kept = new Uint8Array(0);
    let copied: Uint8Array = new Uint8Array(0);
    server.onBatch((batch) => {
      kept = batch.at(0)?.payload as Uint8Array<ArrayBuffer>;
      copied = batch.copy().at(0)?.payload as Uint8Array;
    });
    connection.receive(encodeFrame(event(1n, new Uint8Array([1, 2, 3]))));
    assert.deepEqual(copied, new Uint8Array([1, 2, 3]));
    assert.deepEqual(kept, new Uint8Array([0xdb, 0xdb, 0xdb]));
  });

  it("hands what waited to a callback that comes late", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    connection.receive(many(5));
    let n = 0;
    server.onBatch((batch) => n += batch.length);
    assert.equal(n, 5);
  });

  it("breaks off with misuse when the callback throws", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    server.onBatch(() => {
      throw new Error("oops");
    });
    connection.receive(many(1));
    assert.equal((await server.closed).kind, "misuse");
  });

  it("has one consumer at a time", async () => {
    const server = framed(new FakeConnection());
    const loop = server.batches();
    assert.throws(() => server.onBatch(() => {}), kind("misuse"));
    await loop.return?.();
    server.onBatch(() => {});
    assert.throws(() => server.batches(), kind("misuse"));
  });
});

describe("framed: bounds", () => {
  it("holds at most 512 undelivered frames, then pauses, then goes on", async () => {
    for (const owned of [false, true]) {
      const connection = new FakeConnection();
      connection.owned = owned;
      const server = framed(connection);
      const report = connection.receive(many(1200));
      assert.equal(report.pause, true);
      assert.equal(report.completed, 512);
      assert.ok(report.retained > 0);
      assert.equal(server.counters.pauses, 1);
      connection.receive(many(3)); // what was on its way when reading stopped
      const batches = server.batches();
      let n = 0;
      let last = -1n;
      while (n < 1203) {
        const { value } = await batches.next();
        for (const frame of value) {
          if (n < 1200) assert.equal(frame.corrId, last + 1n);
          last = frame.corrId;
          n++;
        }
      }
      assert.equal(connection.resumed, 1);
      assert.equal(server.counters.framesIn, 1203);
      assert.equal(connection.receive(many(1)).pause, false);
    }
  });

  it("does not pause while the consumer waits", async () => {
    const connection = new FakeConnection();
    const batches = framed(connection).batches();
    const next = batches.next();
    assert.equal(connection.receive(many(1200)).pause, false);
    assert.equal((await next).value.length, 1200);
  });

  it("delivers what came before a fault, then breaks off", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    connection.receive(concat([many(2), new Uint8Array(38).fill(255)]));
    assert.ok(connection.error instanceof CodecError);
    assert.equal(connection.error.fault, "BadFlags");
    assert.deepEqual(server.counters.rejects, { header_malformed: 1 });
    const batches = server.batches();
    assert.equal((await batches.next()).value.length, 2);
    await assert.rejects(batches.next(), CodecError);
    assert.equal((await batches.next()).done, true);
  });

  it("calls an end inside a frame truncated", () => {
    const connection = new FakeConnection();
    framed(connection);
    connection.receive(many(2).subarray(0, 60));
    connection.end();
    assert.equal((connection.error as CodecError).reason, "truncated");
  });

  it("reports what is retained and owed", () => {
    const connection = new FakeConnection();
    framed(connection);
    const bytes = encodeFrame(event(1n, new Uint8Array(1000)));
    assert.deepEqual(connection.receive(bytes.subarray(0, 10)), {
      retained: 10,
      owed: 28,
      completed: 0,
      pause: false,
      waits: false,
      kept: false,
    });
    assert.deepEqual(connection.receive(bytes.subarray(10, 138)), {
      retained: 256, // the memory that it lies in
      owed: 900,
      completed: 0,
      pause: false,
      waits: false,
      kept: false,
    });
    assert.deepEqual(connection.receive(bytes.subarray(138)), {
      retained: 1_038, // until somebody takes it
      owed: 0,
      completed: 1,
      pause: false,
      waits: false,
      kept: false,
    });
  });
});

describe("framed: sending", () => {
  it("copies small frames at once, and refuses whole when the inbox is full", async () => {
    const connection = new FakeConnection("dialer", 2);
    const client = framed(connection);
    const payload = new Uint8Array([1, 2, 3]);
    await client.send(event(1n, payload));
    payload.fill(9);
    client.trySend(event(2n));
    assert.throws(() => client.trySend(event(3n)), kind("busy"));
    assert.equal(client.counters.framesOut, 2);
    const later = client.send(event(4n));
    const sent = connection.outbox.flush();
    assert.deepEqual(sent.subarray(38, 41), new Uint8Array([1, 2, 3]));
    await later;
    assert.equal(connection.outbox.items, 1);
  });

  it("lends large payloads, and resolves when their memory is free", async () => {
    const connection = new FakeConnection();
    const client = framed(connection);
    const payload = xorshift(1, 100_000);
    let written = false;
    const sent = client.send(event(1n, payload)).then(() => written = true);
    await settle();
    assert.equal(written, false);
    assert.deepEqual(connection.outbox.flush(), encodeFrame(event(1n, payload)));
    await sent;
  });

  it("copies large payloads that are only lent", () => {
    const connection = new FakeConnection();
    const server = framed(connection, { checkBorrows: true });
    const payload = xorshift(5, 40_000);
    server.onBatch((batch) => batch.forEach((frame) => server.trySend(resp(frame))));
    connection.receive(encodeFrame(req(1n, payload)));
    assert.deepEqual(connection.outbox.flush(), encodeFrame(resp(req(1n, payload))));
  });

  it("gives up waiting for room when the signal says so", async () => {
    const client = framed(new FakeConnection("dialer", 0));
    const reason = new Error("enough");
    await assert.rejects(client.send(event(1n), { signal: AbortSignal.abort(reason) }), reason);
  });

  it("refuses what may not be sent", async () => {
    const client = framed(new FakeConnection(), { maxFrameBytes: 100 });
    assert.throws(
      () => client.trySend(event(1n, new Uint8Array(63))),
      (error) => error instanceof CodecError && error.fault === "FrameTooLarge",
    );
    await assert.rejects(client.send({ ...event(1n), flags: 0 }), CodecError);
    await assert.rejects(client.send({ ...event(1n), corrId: -1n }), kind("misuse"));
  });
});

describe("framed: requests", () => {
  it("matches answers by identity, in any order, with no consumer", async () => {
    const [near, far] = wire();
    const client = framed(near);
    const server = framed(far);
    const waiting: Frame[] = [];
    server.onBatch((batch) => {
      for (const frame of batch) waiting.push(frame.toFrame());
      if (waiting.length === 3) {
        for (const frame of waiting.reverse()) server.trySend(resp(frame));
      }
    });
    const answers = await Promise.all(
      [1n, 2n, 3n].map((id) => client.request(req(id, new Uint8Array([Number(id)])))),
    );
    assert.deepEqual(answers.map((frame) => frame.payload[0]), [1, 2, 3]);
    assert.equal(client.inflight, 0);
    assert.equal(near.timers, 0);
  });

  it("times out, drops the late answer, and counts it", async () => {
    const connection = new FakeConnection();
    const client = framed(connection);
    const answer = client.request(req(1n), { timeoutMs: 100 });
    connection.advance(100);
    await assert.rejects(answer, kind("timeout"));
    connection.receive(encodeFrame(resp(req(1n))));
    connection.receive(encodeFrame(resp(req(2n))));
    assert.equal(client.counters.lateAnswers, 1);
    assert.equal((await client.batches().next()).value.at(0).corrId, 2n);
  });

  it("lets the signal give up", async () => {
    const connection = new FakeConnection();
    const client = framed(connection);
    const abort = new AbortController();
    const answer = client.request(req(1n), { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(answer, /enough/);
    assert.equal(connection.timers, 0);
  });

  it("refuses a duplicate id, a 65th request, and a frame without REQ", async () => {
    const client = framed(new FakeConnection());
    const pending = Array.from({ length: 64 }, (_, i) => client.request(req(BigInt(i))));
    await assert.rejects(client.request(req(64n)), kind("busy"));
    const fewer = framed(new FakeConnection());
    pending.push(fewer.request(req(1n)));
    await assert.rejects(fewer.request(req(1n)), kind("misuse"));
    await assert.rejects(fewer.request(event(2n)), kind("misuse"));
    void client.close();
    void fewer.close();
    for (const answer of pending) await assert.rejects(answer, kind("io_closed"));
  });

  it("answers the 65th unanswered request 429, and reads on", async () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    const batches = server.batches();
    const next = batches.next();
    connection.receive(concat([many(66, req), many(3)]));
    assert.equal((await next).value.length, 64 + 3);
    assert.equal(server.counters.refused, 2);
    const refused = connection.outbox.flush();
    assert.equal(refused.length, 76);
    assert.equal(refused[8]! << 8 | refused[9]!, 429);
    server.trySend(resp(req(0n)));
    connection.receive(encodeFrame(req(100n)));
    assert.equal(server.counters.refused, 2);
  });

  it("answers requests 503 while it drains, and ends after the answers it owes", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    let got = 0;
    server.onBatch((batch) => got += batch.length);
    connection.receive(encodeFrame(req(1n)));
    connection.drain();
    connection.receive(encodeFrame(req(2n)));
    assert.equal(got, 1);
    assert.equal(server.counters.refused, 1);
    const refused = connection.outbox.flush();
    assert.equal(refused[8]! << 8 | refused[9]!, 503);
    assert.equal(connection.signal.aborted, false);
    server.trySend(resp(req(1n)));
    assert.equal(connection.signal.aborted, true);
  });

  it("counts requests under one id like any others: reuse does not get round the limit", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    let got = 0;
    server.onBatch((batch) => got += batch.length);
    const flood = (n: number) => connection.receive(many(n, () => req(7n)));
    flood(200);
    assert.equal(got, 64);
    assert.equal(server.counters.refused, 136);
    flood(10);
    assert.equal(got, 64, "a refusal answered a request that waits");
    connection.outbox.flush();
    server.trySend(resp(req(7n)));
    flood(2);
    assert.equal(got, 65, "one answer makes room for one request");
  });

  it("lets a prompt consumer answer any number of pipelined requests", () => {
    const connection = new FakeConnection("listener", 10_000);
    const server = framed(connection);
    server.onBatch((batch) => batch.forEach((frame) => server.trySend(resp(frame))));
    connection.receive(many(2000, req));
    assert.equal(server.counters.refused, 0);
    assert.equal(connection.outbox.items, 2000);
  });

  it("drops the rest of a refused stream", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    connection.receive(many(64, req));
    const stream = fragment(new Uint8Array(500), { ...req(99n) }, { maxFrameBytes: 138 });
    connection.receive(concat(stream.map((frame) => encodeFrame(frame))));
    assert.equal(server.counters.refused, 1);
    assert.equal(server.counters.dropped, stream.length - 1);
    assert.equal(connection.outbox.items, 1);
  });
});

describe("framed: HELLO", () => {
  const REPLY = "0000008b0001000200c80000" + "00".repeat(18) + "0000000000000001" +
    toHex(
      new TextEncoder().encode(
        '{"max_frame":1048576,"max_inflight":64,"flags_supported":255,"versions":[1],"transports":["tcp+tls"]}',
      ),
    );

  it("is answered byte for byte, and never delivered", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    let n = 0;
    server.onBatch((batch) => n += batch.length);
    connection.receive(concat([many(1), encodeHelloRequest("sdk/0.1"), many(1)]));
    assert.equal(n, 2);
    assert.deepEqual(connection.outbox.flush(), fromHex(REPLY));
  });

  it("lowers both ends' limits for the client, and can be repeated", async () => {
    const [near, far] = wire();
    const client = framed(near);
    framed(far, { maxFrameBytes: 65_536, maxInflight: 2, inflate: false });
    const wanted = { maxFrame: 65_536, maxInflight: 2, flags: 191, version: 1 };
    assert.deepEqual(await client.hello("sdk/0.1"), wanted);
    assert.deepEqual(await client.hello(), wanted);
    assert.equal(client.maxFrameBytes, 65_536);
    assert.throws(() => client.trySend(event(1n, new Uint8Array(65_500))), CodecError);
    near.receive(encodeFrame(event(1n, new Uint8Array(65_500))).subarray(0, 38));
    assert.equal((near.error as CodecError).fault, "FrameTooLarge");
  });

  it("breaks off when it is malformed, after what came before", () => {
    const connection = new FakeConnection();
    const server = framed(connection);
    let n = 0;
    server.onBatch((batch) => n += batch.length);
    connection.receive(
      concat([many(1), encodeFrame({ ...req(1n, new Uint8Array([1])), appProtoId: 0 })]),
    );
    assert.equal(n, 1);
    assert.equal((connection.error as CodecError).reason, "bad_hello");
  });
});
