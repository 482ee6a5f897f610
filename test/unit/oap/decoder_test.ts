import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Decoder, encodeFrame, FLAGS, type Frame, type FrameView } from "../../../src/oap/mod.ts";
import { Assembly } from "../../../src/oap/assembly.ts";
import { hot } from "../../../src/oap/instance.ts";
import { TransportError } from "../../../src/errors.ts";
import { oracle, type OracleFrame } from "../../oracle/decoder.ts";
import { concat, fromHex, xorshift } from "../../vectors.ts";

const RUNS = { numRuns: 300, seed: 20_260_101 };

function event(payload: Uint8Array): Uint8Array {
  return encodeFrame({
    flags: FLAGS.EVENT,
    code: 0,
    appProtoId: 7,
    tenantId: 0n,
    corrId: 1n,
    payload,
  });
}

/** Legal frames. */
const frames = fc.record({
  kind: fc.constantFrom(FLAGS.REQ, FLAGS.RESP, FLAGS.EVENT),
  more: fc.nat(255).map((bits) => bits & ~(FLAGS.REQ | FLAGS.RESP | FLAGS.EVENT | FLAGS.COMP)),
  code: fc.nat(65_535),
  appProtoId: fc.nat(65_535),
  tenantId: fc.bigInt(0n, (1n << 128n) - 1n),
  corrId: fc.bigInt(0n, (1n << 64n) - 1n),
  capability: fc.uint8Array({ maxLength: 40 }),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.nat(40_000).map((n) => xorshift(n + 1, n)),
  ),
}).map(({ kind, more, capability, ...rest }): Frame => {
  const flags = kind | more | (capability.length > 0 ? FLAGS.START : 0);
  return { ...rest, flags, capability: capability.length > 0 ? capability : undefined };
});

/** Inputs that are frames, frames with a byte changed, and noise that looks like headers. */
const inputs = fc.tuple(
  fc.array(frames, { maxLength: 6 }),
  fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 2 }),
  fc.nat(60),
).map(([list, changes, cut]) => {
  const bytes = concat(list.map((frame) => encodeFrame(frame)));
  for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
  return bytes.subarray(0, Math.max(0, bytes.length - cut));
});

function plain(frame: FrameView): OracleFrame {
  const { len, flags, code, appProtoId, tenantId, corrId, capability, payload } = frame;
  return {
    len,
    flags,
    code,
    appProtoId,
    tenantId,
    corrId,
    capability: [...capability ?? []],
    payload: [...payload],
  };
}

function pushAll(decoder: Decoder, bytes: Uint8Array, cuts: number[]): FrameView[] {
  const seen: FrameView[] = [];
  let from = 0;
  for (
    const cut of [...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  ) {
    seen.push(...decoder.push(bytes.slice(from, cut)));
    from = cut;
  }
  return seen;
}

describe("decoder properties", () => {
  it("agrees with the oracle on frames, fault and rest, for any split", () => {
    fc.assert(
      fc.property(
        inputs,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.integer({ min: 38, max: 50_000 }),
        (bytes, cuts, max) => {
          const decoder = new Decoder({ maxFrameBytes: max });
          const expected = oracle(bytes, max);
          // What is compressed is another property; the oracle does not inflate.
          const comp = expected.frames.findIndex((frame) => (frame.flags & FLAGS.COMP) !== 0);
          const seen = pushAll(decoder, bytes, cuts).map(plain);
          if (comp >= 0) {
            return assert.deepEqual(seen.slice(0, comp), expected.frames.slice(0, comp));
          }
          assert.deepEqual(seen, expected.frames);
          assert.equal(decoder.error?.fault, expected.fault);
          assert.equal(decoder.retained, expected.unfinished);
          assert.equal(decoder.completed, seen.length);
        },
      ),
      RUNS,
    );
  });

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const decoded = new Decoder().push(encodeFrame(frame)).at(0) as FrameView;
        assert.deepEqual({ ...decoded.toFrame() }, { ...frame });
        assert.deepEqual(encodeFrame(decoded), encodeFrame(frame));
      }),
      RUNS,
    );
  });

  it("never throws and never returns a frame after a fault, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 5 }), (parts) => {
        const decoder = new Decoder();
        for (const part of parts) {
          const failed = decoder.error !== undefined;
          assert.equal(decoder.push(part).length > 0 && failed, false);
        }
      }),
      RUNS,
    );
  });
});

describe("decoder", () => {
  it("I-G2, I-8: judges a header at byte 38, before a byte of the body", () => {
    const bytes = event(new Uint8Array(5000));
    const decoder = new Decoder({ maxFrameBytes: 5037 });
    decoder.push(bytes.subarray(0, 37));
    assert.equal(decoder.retained, 37);
    decoder.push(bytes.subarray(37, 38));
    assert.equal(decoder.error?.fault, "FrameTooLarge");
    assert.equal(decoder.retained, 0);
  });

  it("stays failed, with the same error", () => {
    const decoder = new Decoder();
    decoder.push(new Uint8Array(38).fill(255));
    const { error } = decoder;
    assert.equal(decoder.push(event(new Uint8Array(1))).length, 0);
    assert.equal(decoder.error, error);
    assert.equal(decoder.end(), error);
  });

  it("takes far more than a frame and a chunk in one push, in views of it", () => {
    const one = event(xorshift(1, 20_000));
    const input = concat(Array.from({ length: 150 }, () => one));
    const batch = new Decoder().push(input);
    assert.equal(batch.length, 150);
    assert.equal(batch.at(-1)?.payload.buffer, input.buffer);
    assert.equal(batch.at(150), undefined);
  });

  it("indexes 20 000 smallest frames in one push", () => {
    const one = event(new Uint8Array(0));
    const input = new Uint8Array(20_000 * 38);
    for (let i = 0; i < 20_000; i++) input.set(one, i * 38);
    let n = 0;
    new Decoder().push(input).forEach((frame, i) => n += frame.len === 38 && i >= 0 ? 1 : 0);
    assert.equal(n, 20_000);
  });

  it("inflates unless it is told not to, lends what it was given, and nothing where there is nothing", () => {
    const packed = event(fromHex("28b52ffd005009000071")); // zstd, one byte
    packed[7]! |= FLAGS.COMP;
    assert.deepEqual(new Decoder().push(packed).at(0)?.payload, Uint8Array.of(0x71));
    const bytes = event(new Uint8Array(2_000).fill(7));
    const decoder = new Decoder();
    let lent = 0;
    decoder.lend(bytes.subarray(0, 50), () => lent++);
    assert.equal(lent, 0, "no frame is there");
    new Decoder().lend(bytes, (batch) => {
      lent++;
      assert.equal(batch.at(0)?.payload.buffer, bytes.buffer, "not a copy that is spoilt later");
    });
    assert.equal(lent, 1);
  });

  it("I-11: leaves no bytes of headers in the memory of the module when it ends", () => {
    const secret = 0x5ec2_e7ca_fe15_0bean;
    const frame = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: secret, corrId: 1n };
    const decoder = new Decoder();
    decoder.push(encodeFrame({ ...frame, payload: new Uint8Array(0) }));
    const wanted = new Uint8Array(8);
    new DataView(wanted.buffer).setBigUint64(0, secret);
    const found = (): boolean => {
      const { window } = hot();
      for (let at = 0; (at = window.indexOf(wanted[0]!, at)) >= 0; at++) {
        if (wanted.every((byte, i) => window[at + i] === byte)) return true;
      }
      return false;
    };
    assert.ok(found(), "it was there");
    assert.equal(decoder.end(), undefined);
    assert.equal(found(), false);
  });

  it("makes absent what has no bytes", () => {
    const frame = new Decoder().push(event(new Uint8Array(0))).at(0) as FrameView;
    assert.equal(frame.capability, undefined);
    assert.equal(frame.payload.length, 0);
    assert.equal(frame.payloadBytes, 0);
  });

  it("I-G1, I-8: refuses limits that raise or make no sense", () => {
    for (const maxFrameBytes of [0, 37, 1_048_577, 100.5, NaN, -1]) {
      assert.throws(
        () => new Decoder({ maxFrameBytes }),
        (error) => TransportError.is(error) && error.kind === "config_invalid",
      );
    }
  });
});

describe("assembly", () => {
  it("I-G2: holds what came until a chunk is there, whatever is declared", () => {
    const assembly = new Assembly();
    assembly.begin(1_048_576);
    const drip = new Uint8Array(1);
    let held = 0;
    for (let n = 1; n < 65_536; n++) {
      assembly.fill(drip, 0);
      held = assembly.bytes;
      assert.ok(held <= Math.max(256, 2 * n), `holds ${held} bytes after ${n}`);
    }
    assembly.fill(new Uint8Array(2), 0);
    assert.equal(assembly.bytes, 1_048_576);
  });
});
