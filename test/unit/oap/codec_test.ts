import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compress, type CompressCodec } from "../../../src/compress/mod.ts";
import {
  AckWindow,
  chunk,
  CodecError,
  corrIds,
  decodeHelloRequest,
  encodeFrame,
  encodeHelloRequest,
  FLAGS,
  fragment,
  inflate,
  StreamTracker,
} from "../../../src/oap/mod.ts";
import { TransportError } from "../../../src/errors.ts";
import { soleFrame } from "../../../src/oap/zstd_frame.ts";
import { concat, fromHex } from "../../vectors.ts";

const FRAME = {
  flags: FLAGS.EVENT,
  code: 0,
  appProtoId: 1,
  tenantId: 0n,
  corrId: 0n,
  payload: new Uint8Array(0),
};

function kind(expected: string): (error: unknown) => boolean {
  return (error) => TransportError.is(error) && error.kind === expected;
}

describe("I-G1, I-8b: PROP-INFL-01: the guard and the compressor", () => {
  for (const codec of ["gzip", "zlib", "deflate"] as CompressCodec[]) {
    it(`agree on ${codec}, within every budget`, () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(20),
          fc.integer({ min: 0, max: 4000 }),
          (part, times, max) => {
            const raw = concat(Array.from({ length: times }, () => part));
            const packed = compress(raw, codec);
            const budget = Math.min(8 * packed.length, max);
            if (raw.length <= budget) {
              assert.deepEqual(inflate(packed, { codec, maxOutputBytes: max }), raw);
            } else {assert.throws(() =>
                inflate(packed, { codec, maxOutputBytes: max }), kind("too_large"));}
          },
        ),
        { numRuns: 200, seed: 7 },
      );
    });
  }

  it("gives no bytes out for noise, only the three faults", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom("zstd", "gzip", "zlib", "deflate"),
        (noise, codec) => {
          try {
            assert.ok(inflate(noise, { codec: codec as "zstd" }).length <= 8 * noise.length);
          } catch (error) {
            assert.ok(error instanceof CodecError);
            assert.ok(["corrupt", "unsupported", "DecompressBoundExceeded"].includes(error.fault));
          }
        },
      ),
      { numRuns: 500, seed: 8 },
    );
  });

  it("takes bounds that lower, and no others", () => {
    for (
      const bad of [{ maxOutputBytes: 1_048_577 }, { maxRatio: 9 }, { maxRatio: 0 }, {
        maxOutputBytes: -1,
      }]
    ) {
      assert.throws(
        () => inflate(new Uint8Array(1), { codec: "zstd", ...bad }),
        kind("config_invalid"),
      );
    }
    assert.throws(() => inflate(new Uint8Array(1), { codec: "lzma" as "zstd" }), kind("misuse"));
    assert.throws(() => inflate(new Uint8Array(1_048_577), { codec: "zstd" }), kind("too_large"));
    const most = stored(1_048_576);
    assert.deepEqual(inflate(most.bytes, { codec: "deflate" }), most.raw);
    assert.throws(() => compress(new Uint8Array(1), "zstd" as "gzip"), kind("misuse"));
  });
});

/** A deflate stream of exactly `n` bytes that compresses nothing, and what it holds. */
function stored(n: number): { bytes: Uint8Array; raw: Uint8Array } {
  const bytes = new Uint8Array(n);
  const view = new DataView(bytes.buffer);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < n;) {
    const size = Math.min(65_535, n - at - 5);
    bytes[at] = at + 5 + size === n ? 1 : 0;
    view.setUint16(at + 1, size, true);
    view.setUint16(at + 3, ~size, true);
    parts.push(bytes.fill(size % 251, at + 5, at + 5 + size).slice(at + 5, at + 5 + size));
    at += 5 + size;
  }
  return { bytes, raw: concat(parts) };
}

describe("soleFrame", () => {
  const frame = fromHex("28b52ffd005009000071"); // one byte of raw block, window 1 MiB
  const empty = fromHex("28b52ffd0058010000");

  it("passes one frame, and cuts an empty one behind it", () => {
    assert.deepEqual(soleFrame(frame), frame);
    assert.deepEqual(soleFrame(concat([frame, empty, empty])), frame);
  });

  it("takes nothing else", () => {
    for (
      const bad of [
        new Uint8Array(0),
        empty.subarray(0, 8),
        concat([frame, frame]),
        concat([frame, new Uint8Array(1)]),
        fromHex("28b52ffd01500900007100"),
      ]
    ) {
      assert.equal(soleFrame(bad), undefined);
    }
  });
});

describe("encoding", () => {
  it("refuses numbers that do not fit their fields, as misuse", () => {
    for (
      const bad of [
        { code: 65_536 },
        { code: -1 },
        { code: 1.5 },
        { appProtoId: 65_536 },
        { corrId: 1n << 64n },
        { corrId: -1n },
        { tenantId: 1n << 128n },
        { tenantId: -1n },
        { corrId: 1 as unknown as bigint },
      ]
    ) {
      assert.throws(() => encodeFrame({ ...FRAME, ...bad }), kind("misuse"));
    }
  });

  it("refuses flags that are no 16-bit integer", () => {
    for (const flags of [1.5, -1, 65_537, NaN]) {
      assert.throws(() => encodeFrame({ ...FRAME, flags }), CodecError);
    }
  });

  it("I-8: PROP-CH-01: fragments join to the payload, each full but the last", () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(30), fc.integer({ min: 70, max: 400 }), (n, cap, max) => {
        const payload = Uint8Array.from({ length: n }, (_, i) => i);
        const frames = fragment(payload, { ...FRAME, capability: new Uint8Array(cap) }, {
          maxFrameBytes: max,
        });
        assert.deepEqual(concat(frames.map((frame) => frame.payload)), payload);
        const sizes = frames.map((frame) => encodeFrame(frame, { maxFrameBytes: max }).length);
        assert.ok(sizes.slice(0, -1).every((size) => size === max));
        const tracker = new StreamTracker();
        const verdicts = frames.map((frame) => tracker.track(frame));
        assert.equal(verdicts.at(-1), frames.length === 1 ? "done" : "ended");
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  it("divides only what is a length", () => {
    for (const bad of [-1, 1.5, NaN, 2 ** 60]) assert.throws(() => chunk(bad, 100), kind("misuse"));
    for (const bad of [0, 65_537, NaN]) assert.throws(() => chunk(1, bad), kind("config_invalid"));
  });

  it("refuses to fragment what cannot be", () => {
    assert.throws(
      () => fragment(new Uint8Array(1), { ...FRAME, flags: FLAGS.EVENT | FLAGS.COMP }),
      kind("misuse"),
    );
    assert.throws(() => fragment(new Uint8Array(1), FRAME, { maxFrameBytes: 38 }), kind("misuse"));
    assert.throws(() => fragment(new Uint8Array(1), { ...FRAME, flags: 0 }), CodecError);
  });
});

describe("HELLO", () => {
  it("cannot reach a prototype", () => {
    const payload = new TextEncoder().encode('{"__proto__":{"ua":"x"},"constructor":1}');
    assert.deepEqual(decodeHelloRequest({ ...FRAME, flags: FLAGS.REQ, appProtoId: 0, payload }), {
      ua: null,
    });
    assert.equal(({} as Record<string, unknown>)["ua"], undefined);
  });

  it("has a body of at most 4 KiB both ways", () => {
    assert.equal(encodeHelloRequest("a".repeat(4096 - 9)).length, 38 + 4096);
    assert.throws(() => encodeHelloRequest("a".repeat(4096 - 8)), CodecError);
    const payload = new TextEncoder().encode(`{"ua":null}${" ".repeat(4096)}`);
    assert.throws(
      () => decodeHelloRequest({ ...FRAME, flags: FLAGS.REQ, appProtoId: 0, payload }),
      CodecError,
    );
  });

  it("is one whole frame", () => {
    const hello = encodeHelloRequest();
    assert.throws(() => decodeHelloRequest(hello.subarray(0, 40)), CodecError);
    assert.throws(() => decodeHelloRequest(concat([hello, hello])), CodecError);
  });
});

describe("corrIds", () => {
  it("does not repeat over 10 000 draws, and wraps", () => {
    const ids = corrIds();
    assert.equal(new Set(Array.from({ length: 10_000 }, () => ids.next())).size, 10_000);
    const last = corrIds((1n << 64n) - 1n);
    assert.deepEqual([last.next(), last.next()], [(1n << 64n) - 1n, 0n]);
  });
});

describe("AckWindow", () => {
  it("stops at 2^64 - 1, or wraps when told to", () => {
    const from = (1n << 64n) - 2n;
    const strict = new AckWindow({ from });
    assert.equal(strict.send(1), "ok");
    assert.throws(() => strict.send(1), kind("misuse"));
    const wrapping = new AckWindow({ from, rollover: "wrap", frames: 4 });
    assert.equal(wrapping.send(4), "ok");
    assert.equal(wrapping.sent, 2n);
    assert.equal(wrapping.ack(3n), "fault");
    assert.equal(wrapping.ack(1n), "ok");
    assert.equal(wrapping.inflight, 1);
    assert.equal(wrapping.ack(from), "fault");
  });

  it("keeps its algebra: acked <= sent <= acked + window, and acked never goes back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1024 }),
        fc.array(fc.tuple(fc.boolean(), fc.nat(1500)), { maxLength: 60 }),
        (frames, events) => {
          const window = new AckWindow({ frames });
          for (const [send, n] of events) {
            const { acked, sent } = window;
            if (send) window.send(n);
            else {assert.equal(
                window.ack(n),
                BigInt(n) >= acked && BigInt(n) <= sent ? "ok" : "fault",
              );}
            assert.ok(window.acked >= acked && window.acked <= window.sent);
            assert.ok(window.inflight <= frames);
          }
        },
      ),
      { numRuns: 200, seed: 10 },
    );
  });

  it("has a window from 1 to 1024", () => {
    for (const frames of [0, 1025]) {
      assert.throws(() => new AckWindow({ frames }), kind("config_invalid"));
    }
  });
});
