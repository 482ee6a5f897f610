import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as zlib from "node:zlib";
import {
  Decoder,
  FLAGS,
  type Frame,
  framed,
  type FrameView,
  StreamTracker,
} from "../../../src/oap/mod.ts";
import { TransportError } from "../../../src/errors.ts";
import { concat, xorshift } from "../../vectors.ts";
import { FakeConnection, settle, wire } from "./fake_carrier.ts";

const HEAD = {
  flags: FLAGS.REQ,
  code: 0,
  appProtoId: 7,
  tenantId: 1n << 127n | 5n,
  corrId: 0xffff_ffff_0000_0001n,
};

/** Sends a stream, and returns what arrives. */
async function pass(
  source: Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
  head: object = {},
  options: object = {},
): Promise<{ frames: Frame[]; body: Uint8Array; result: object }> {
  const [near, far] = wire();
  const client = framed(near, options);
  const frames: Frame[] = [];
  framed(far).onBatch((batch) => batch.forEach((frame) => frames.push(frame.toFrame())));
  const result = await client.sendStream(source, { ...HEAD, ...head });
  await settle();
  return { frames, body: concat(frames.map((frame) => frame.payload)), result };
}

/** Compares without a diff, which takes minutes on long arrays. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function* split(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const reused = new Uint8Array(size);
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    reused.set(part);
    yield reused.subarray(0, part.length);
    reused.fill(0);
  }
}

describe("sendStream", () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 1_048_576, 1_200_000]) {
    it(`sends ${length} bytes in chunks, from memory and from pieces`, async () => {
      const body = xorshift(length + 1, length);
      const readable = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < length; at += 50_000) {
            controller.enqueue(body.slice(at, at + 50_000));
          }
          controller.close();
        },
      });
      for (const source of [body, split(body, 10_007), split(body, 300_000), readable]) {
        const sent = await pass(source);
        const tracker = new StreamTracker();
        const verdicts = sent.frames.map((frame) => tracker.track(frame));
        assert.ok(same(sent.body, body));
        assert.equal(sent.frames.length, Math.max(1, Math.ceil(length / 65_536)));
        assert.equal(verdicts.at(-1), sent.frames.length === 1 ? "done" : "ended");
        assert.ok(
          sent.frames.every((frame) =>
            frame.tenantId === HEAD.tenantId && frame.corrId === HEAD.corrId
          ),
        );
        assert.deepEqual(sent.result, {
          frames: sent.frames.length,
          bytes: length,
          compressedFrames: 0,
          wireBytes: length + 38 * sent.frames.length,
        });
      }
    });
  }

  it("does not write a header's memory again before it has been sent", async () => {
    const connection = new FakeConnection();
    const body = xorshift(3, 70 * 65_536 + 5);
    let over = false;
    const sending = framed(connection).sendStream(body, HEAD).then((result) => {
      over = true;
      return result;
    });
    const decoder = new Decoder();
    const frames: Frame[] = [];
    for (let turn = 0; !over || connection.outbox.items > 0; turn++) {
      await settle();
      assert.ok(connection.outbox.items <= 8);
      for (const frame of decoder.push(connection.outbox.flush(1 + turn % 3))) frames.push(frame);
    }
    assert.equal((await sending).frames, 71);
    assert.ok(same(concat(frames.map((frame) => frame.payload)), body));
    const edges = frames.map((frame) => frame.flags & (FLAGS.START | FLAGS.END));
    assert.deepEqual([edges[0], edges[70], Math.max(...edges.slice(1, -1))], [8, 16, 0]);
    assert.ok(frames.every((frame) => frame.corrId === HEAD.corrId));
  });

  it("puts the capability on the first frame only, and keeps within the frame limit", async () => {
    const body = xorshift(9, 300_000);
    const capability = xorshift(2, 3000);
    for (const source of [body, split(body, 4096)]) {
      const { frames, body: got } = await pass(source, { capability }, { maxFrameBytes: 65_536 });
      assert.ok(same(got, body));
      assert.deepEqual(frames[0]?.capability, capability);
      assert.ok(frames.slice(1).every((frame) => frame.capability === undefined));
    }
  });

  // Node 20 has no zstd encoder.
  it(
    "compresses the chunks that gain and may",
    { skip: !("zstdCompressSync" in zlib) },
    async () => {
      const text = new TextEncoder().encode(
        Array.from({ length: 20_000 }, (_, i) => `line ${i * i % 9973}\n`).join(""),
      );
      const body = concat([text.subarray(0, 65_536), xorshift(4, 65_536), new Uint8Array(65_536)]);
      const compress = (chunk: Uint8Array): Uint8Array =>
        new Uint8Array(zlib.zstdCompressSync(chunk));
      const { frames, body: got, result } = await pass(body, {}, { compress });
      assert.ok(same(got, body));
      assert.ok(frames.every((frame) => (frame.flags & FLAGS.COMP) === 0));
      const { compressedFrames, wireBytes } = result as {
        compressedFrames: number;
        wireBytes: number;
      };
      assert.equal(compressedFrames, 1); // random bytes do not shrink, zeros shrink too much for the guard
      assert.ok(wireBytes < body.length);
    },
  );

  it("lets other frames between its chunks", async () => {
    const connection = new FakeConnection("dialer");
    const client = framed(connection);
    const stream = client.sendStream(new Uint8Array(30 * 65_536), HEAD);
    await settle();
    assert.equal(connection.outbox.items, 8);
    client.trySend({ ...HEAD, flags: FLAGS.EVENT, corrId: 1n, payload: new Uint8Array(1) });
    const decoder = new Decoder();
    const frames: FrameView[] = [];
    const pump = setInterval(() => frames.push(...decoder.push(connection.outbox.flush(3))), 0);
    await stream;
    clearInterval(pump);
    frames.push(...decoder.push(connection.outbox.flush()));
    const at = frames.findIndex((frame) => frame.corrId === 1n);
    assert.ok(at === 8, `came at place ${at}`);
    assert.equal(frames.length, 31);
  });

  it("ends a stream that is given up with an empty END of code 499", async () => {
    const connection = new FakeConnection("dialer");
    const client = framed(connection);
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(100_000);
      await new Promise(() => {});
    }
    const stream = client.sendStream(endless(), HEAD, { signal: abort.signal });
    await settle();
    abort.abort(new Error("enough"));
    await settle();
    const frames = [...new Decoder().push(connection.outbox.flush())];
    await assert.rejects(stream, /enough/);
    assert.equal(frames.length, 2);
    const last = frames[1] as FrameView;
    assert.deepEqual([last.flags, last.code, last.payloadBytes], [FLAGS.REQ | FLAGS.END, 499, 0]);
  });

  it("passes on the failure of its source, and sends nothing if it had not begun", async () => {
    const connection = new FakeConnection("dialer");
    const client = framed(connection);
    // deno-lint-ignore require-yield
    async function* failing(): AsyncGenerator<Uint8Array> {
      await settle();
      throw new Error("disk");
    }
    await assert.rejects(client.sendStream(failing(), HEAD), /disk/);
    assert.equal(connection.outbox.items, 0);
  });

  it("ends with the connection", async () => {
    const connection = new FakeConnection("dialer");
    const client = framed(connection);
    const stream = client.sendStream(new Uint8Array(30 * 65_536), HEAD);
    await settle();
    connection.fail(new TransportError("io_closed", "gone", { op: "write" }));
    await assert.rejects(stream, (error) => TransportError.is(error) && error.kind === "io_closed");
  });
});
