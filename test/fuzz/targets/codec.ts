/** The decoder against the slow one, and the encoder against both. */
import assert from "node:assert/strict";
import { CAPS } from "../../../mod.ts";
import { Decoder, encodeFrame, FLAGS, type FrameView } from "../../../src/oap/mod.ts";
import { oracle, type OracleFrame } from "../../oracle/decoder.ts";
import { bytes as vectorBytes, concat, type Gen, vectors } from "../../vectors.ts";
import type { FuzzTarget } from "../target.ts";

function plain(view: FrameView): OracleFrame {
  const { len, flags, code, appProtoId, tenantId, corrId, capability, payload } = view;
  const parts = { capability: [...capability ?? []], payload: [...payload] };
  return { len, flags, code, appProtoId, tenantId, corrId, ...parts };
}

/** The first byte sets the largest frame, the second into how many reads the rest is cut. */
function decode(input: Uint8Array): string {
  const [size = 0, pieces = 0] = input;
  const bytes = input.subarray(2);
  const max = size === 255 ? CAPS.frameBytes : 38 + size * 97;
  const decoder = new Decoder({ maxFrameBytes: max });
  const seen: OracleFrame[] = [];
  const step = Math.max(1, Math.ceil(bytes.length / (1 + (pieces & 15))));
  for (let at = 0; at < bytes.length; at += step) {
    for (const frame of decoder.push(bytes.slice(at, at + step))) seen.push(plain(frame));
  }
  const expected = oracle(bytes, max);
  const packed = expected.frames.findIndex(({ flags }) => (flags & FLAGS.COMP) !== 0);
  if (packed >= 0) {
    // the oracle does not inflate: what comes before is compared, what was inflated is bounded
    assert.deepEqual(seen.slice(0, packed), expected.frames.slice(0, packed));
    for (const frame of seen.slice(packed)) assert.ok(frame.payload.length <= max);
    const sent = expected.frames[packed]!.payload.length;
    assert.ok((seen[packed]?.payload.length ?? 0) <= 8 * sent);
  } else {
    assert.deepEqual(seen, expected.frames);
    assert.equal(decoder.error?.fault, expected.fault);
    assert.equal(decoder.retained, expected.unfinished);
  }
  const flags = new Set(seen.map((frame) => frame.flags & 0xff));
  return `${decoder.error?.fault} ${Math.min(seen.length, 9)} ${[...flags].slice(0, 3).join()} ${
    packed >= 0
  }`;
}

/** Fields of a frame out of the input; what is encoded must be what both decoders read. */
function encode(input: Uint8Array): string {
  if (input.length < 32) return "short";
  const view = new DataView(input.buffer, input.byteOffset);
  const kind = [FLAGS.REQ, FLAGS.RESP, FLAGS.EVENT][input[0]! % 3]!;
  const body = input.subarray(32);
  const cut = Math.min(body.length, view.getUint16(1) % 64);
  const capability = cut > 0 ? body.subarray(0, cut) : undefined;
  const frame = {
    flags: kind | (view.getUint8(3) & ~FLAGS.COMP & ~7) |
      (capability === undefined ? 0 : FLAGS.START),
    code: view.getUint16(4),
    appProtoId: view.getUint16(6),
    tenantId: (view.getBigUint64(8) << 64n) | view.getBigUint64(16),
    corrId: view.getBigUint64(24),
    capability,
    payload: body.subarray(cut),
  };
  const bytes = encodeFrame(frame);
  const { frames, fault, unfinished } = oracle(bytes, CAPS.frameBytes);
  assert.deepEqual([frames.length, fault, unfinished], [1, undefined, 0]);
  const decoded = [...new Decoder().push(bytes)].map(plain);
  assert.deepEqual(decoded, frames);
  assert.equal(frames[0]!.corrId, frame.corrId);
  assert.equal(frames[0]!.tenantId, frame.tenantId);
  assert.deepEqual(frames[0]!.payload, [...frame.payload]);
  return `${frame.flags} ${cut > 0} ${Math.min(8, frame.payload.length)}`;
}

const ofVectors = vectors<Gen>("decode").slice(0, 400).flatMap((one) => {
  const bytes = vectorBytes(one);
  return bytes.length <= 4_096 ? [bytes] : [];
});

export const decoder: FuzzTarget = {
  name: "decoder",
  most: 8_192,
  seeds: ofVectors.map((bytes) => concat([Uint8Array.of(255, 3), bytes])),
  tokens: ofVectors.slice(0, 40).map((bytes) => bytes.slice(0, 38)),
  run: decode,
};

export const encoder: FuzzTarget = {
  name: "encoder",
  most: 4_096,
  seeds: [new Uint8Array(32), new Uint8Array(200).fill(0xa5)],
  tokens: [],
  run: encode,
};
