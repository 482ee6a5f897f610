/**
 * All conformance vectors through the public API. Decoding runs whole, byte by byte, and at seeded random splits.
 * Byte by byte of an input over 16 KiB means: single bytes over its first and last 4 KiB, pieces of 997 between.
 */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import {
  AckWindow,
  chunk,
  type Codec,
  CodecError,
  decodeHelloReply,
  decodeHelloRequest,
  Decoder,
  encodeFrame,
  encodeHelloReply,
  encodeHelloRequest,
  FAULTS,
  fireAndForget,
  fragment,
  type Frame,
  frameLabel,
  type FrameView,
  type HelloReply,
  inflate,
  mayCompress,
  negotiate,
  StreamTracker,
  terminal,
  wantsAck,
} from "../src/oap/mod.ts";
import {
  assertBytes,
  assertFrame,
  bytes,
  digest,
  type ExpectedError,
  type ExpectedFrame,
  type Gen,
  random,
  vectors,
} from "./vectors.ts";

interface DecodeCase {
  name: string;
  hex?: string;
  gen?: Gen;
  maxFrameBytes?: number;
  codec?: false;
  cuts?: number[] | { every: number };
  expect: {
    frames: ExpectedFrame[];
    error?: ExpectedError;
    needMore?: true;
    atEof?: { reason: string; status: number };
  };
}

const counts: Record<string, number> = {};
after(() => console.log("vectors passed:", JSON.stringify(counts)));

function count(file: string): void {
  counts[file] = (counts[file] ?? 0) + 1;
}

/** Decodes one case cut at the given offsets, and compares everything. */
function decode(vector: DecodeCase, input: Uint8Array, cuts: number[]): void {
  const { maxFrameBytes, codec, expect } = vector;
  const decoder = new Decoder({
    inflate: codec ?? true,
    ...(maxFrameBytes === undefined ? {} : { maxFrameBytes }),
  });
  const frames: FrameView[] = [];
  let from = 0;
  for (const to of [...cuts, input.length]) {
    // Pieces of their own memory, so that nothing can look past a piece's end.
    for (let at = from; at < to || at === from; at += 65_536) {
      frames.push(...decoder.push(input.slice(at, Math.min(to, at + 65_536))));
      if (at + 65_536 >= to) break;
    }
    from = to;
  }
  assert.equal(frames.length, expect.frames.length, "number of frames");
  expect.frames.forEach((frame, i) => assertFrame(frames[i] as FrameView, frame, `frame ${i}`));
  assertFault(decoder.error, expect.error);
  assert.equal(decoder.retained > 0, expect.needMore === true, "holds an unfinished frame");
  assert.equal(decoder.owed > 0, expect.needMore === true, "is owed bytes");
  const end = decoder.end();
  if (expect.atEof !== undefined) {
    assert.deepEqual({ reason: end?.reason, status: end?.status }, expect.atEof);
  } else assertFault(end, expect.error);
}

function assertFault(actual: CodecError | undefined, expected: ExpectedError | undefined): void {
  assert.deepEqual(
    actual && { name: actual.fault, reason: actual.reason, status: actual.status },
    expected,
  );
}

/** Every offset, or for long inputs those of the first and last 4 KiB and one in 997 between. */
function everyByte(length: number): number[] {
  const cuts: number[] = [];
  for (
    let at = 1;
    at < length;
    at += length > 16_384 && at >= 4096 && at < length - 5096 ? 997 : 1
  ) cuts.push(at);
  return cuts;
}

function randomCuts(length: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: next() % 9 }, () => next() % (length + 1)).sort((a, b) => a - b);
}

describe("decode vectors", () => {
  for (const [i, vector] of vectors<DecodeCase>("decode").entries()) {
    it(vector.name, () => {
      const input = bytes(vector);
      decode(vector, input, []);
      decode(vector, input, everyByte(input.length));
      for (let seed = 1; seed <= 3; seed++) {
        decode(vector, input, randomCuts(input.length, 7919 * seed + i));
      }
      count("decode");
    });
  }
});

describe("split vectors", () => {
  for (const vector of vectors<DecodeCase>("split")) {
    it(vector.name, () => {
      const input = bytes(vector);
      const { cuts } = vector;
      const every = Array.isArray(cuts) ? 0 : cuts?.every ?? 0;
      const at = Array.isArray(cuts)
        ? cuts
        : Array.from({ length: Math.ceil(input.length / every) - 1 }, (_, i) => (i + 1) * every);
      decode(vector, input, at);
      decode(vector, input, []);
      count("split");
    });
  }
});

interface EncodeCase {
  name: string;
  op: "encode" | "compDecision";
  frame: {
    flags: number;
    code: number;
    appProtoId: number;
    tenantId: string;
    corrId: string;
    ver?: number;
    capability: Gen | null;
    payload: Gen | null;
  };
  maxFrameBytes?: number;
  rawLen: number;
  compressedLen: number;
  expect: { hex?: string; len?: number; sha256?: string; error?: { name: string }; comp?: boolean };
}

describe("encode vectors", () => {
  for (const vector of vectors<EncodeCase>("encode")) {
    it(vector.name, () => {
      const { expect } = vector;
      const options = vector.maxFrameBytes === undefined
        ? {}
        : { maxFrameBytes: vector.maxFrameBytes };
      if (vector.op === "compDecision") {
        assert.equal(mayCompress(vector.rawLen, vector.compressedLen, options), expect.comp);
      } else {
        const encoded = attempt(() => encodeFrame(toFrame(vector.frame), options));
        if (expect.error !== undefined) {
          assert.equal(encoded instanceof CodecError && encoded.fault, expect.error.name);
        } else {assertBytes(
            encoded as Uint8Array,
            expect.hex ?? { len: expect.len as number, sha256: expect.sha256 as string },
            "bytes",
          );}
      }
      count("encode");
    });
  }
});

function toFrame(frame: EncodeCase["frame"]): Frame {
  const { flags, code, appProtoId, ver } = frame;
  return {
    flags,
    code,
    appProtoId,
    tenantId: BigInt(`0x${frame.tenantId}`),
    corrId: BigInt(frame.corrId),
    capability: frame.capability === null ? undefined : bytes(frame.capability),
    payload: frame.payload === null ? new Uint8Array(0) : bytes(frame.payload),
    ...(ver === undefined ? {} : { ver }),
  };
}

function attempt<T>(call: () => T): T | unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

type Outcome = { ok?: { len: number; sha256: string }; error?: string };
interface GuardCase {
  name: string;
  codec: Codec;
  hex?: string;
  gen?: Gen;
  maxRatio?: number;
  maxOutputBytes?: number;
  expect: Outcome & { anyOf?: Outcome[] };
}

describe("I-8b: guard vectors", () => {
  for (const vector of vectors<GuardCase>("guard")) {
    it(vector.name, () => {
      const { codec, maxRatio, maxOutputBytes, expect } = vector;
      const options = {
        codec,
        ...(maxRatio === undefined ? {} : { maxRatio }),
        ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
      };
      const out = attempt(() => inflate(bytes(vector), options));
      let actual: Outcome;
      if (out instanceof Uint8Array) actual = { ok: { len: out.length, sha256: digest(out) } };
      else {
        assert.ok(out instanceof CodecError, String(out));
        actual = { error: out.fault === "DecompressBoundExceeded" ? "too_large" : out.fault };
        assert.equal(out.kind, actual.error === "too_large" ? "too_large" : "malformed");
      }
      const accepted = expect.anyOf ?? [expect];
      assert.ok(
        accepted.some((one) => JSON.stringify(one) === JSON.stringify(actual)),
        `${JSON.stringify(actual)} is none of ${JSON.stringify(accepted)}`,
      );
      count("guard");
    });
  }
});

interface HelloCase {
  name: string;
  op: "encodeRequest" | "decodeRequest" | "encodeReply" | "decodeReply" | "negotiate";
  hex: string;
  ua: string | null;
  reply: HelloReply;
  ours: HelloReply;
  theirs: HelloReply;
  tenantId: string;
  corrId: string;
  expect: Gen & { ok?: unknown; error?: ExpectedError };
}

describe("hello vectors", () => {
  for (const vector of vectors<HelloCase>("hello")) {
    it(vector.name, () => {
      const { op, expect } = vector;
      if (op === "encodeRequest" || op === "encodeReply") {
        const ids = { tenantId: BigInt(`0x${vector.tenantId}`), corrId: BigInt(vector.corrId) };
        const encoded = op === "encodeRequest"
          ? encodeHelloRequest(vector.ua, ids)
          : encodeHelloReply(vector.reply, ids);
        assert.deepEqual(encoded, bytes(expect));
      } else {
        const result = attempt(() => {
          if (op === "negotiate") return negotiate(vector.ours, vector.theirs);
          return op === "decodeRequest"
            ? decodeHelloRequest(bytes(vector))
            : decodeHelloReply(bytes(vector));
        });
        if (expect.error !== undefined) assertFault(result as CodecError, expect.error);
        else assert.deepEqual(result, expect.ok);
      }
      count("hello");
    });
  }
});

type Tracked = {
  flags: number;
  corrId: string;
  appProtoId: number;
  tenantId: string;
  dir: "in" | "out";
};
interface StreamCase {
  name: string;
  op: "track" | "trackGen" | "ack" | "label" | "predicates";
  frames: Tracked[];
  startEndPairs: number;
  then: Tracked;
  window: number;
  events: ["send" | "ack", number][];
  frame: {
    flags: number;
    code: number;
    appProtoId: number;
    payloadLen: number;
    answersAckReq: boolean;
  };
  flags: number;
  expect: unknown;
}

describe("stream vectors", () => {
  for (const vector of vectors<StreamCase>("stream")) {
    it(vector.name, () => {
      assert.deepEqual(streamResult(vector), vector.expect);
      count("stream");
    });
  }
});

function streamResult(vector: StreamCase): unknown {
  const { op, flags } = vector;
  if (op === "predicates") {
    return {
      wantsAck: wantsAck(flags),
      terminal: terminal(flags),
      fireAndForget: fireAndForget(flags),
    };
  }
  if (op === "label") {
    const { payloadLen, answersAckReq, ...frame } = vector.frame;
    return frameLabel({ ...frame, payload: new Uint8Array(payloadLen) }, answersAckReq);
  }
  if (op === "ack") {
    const window = new AckWindow({ frames: vector.window });
    return vector.events.map(([what, n]) => what === "send" ? window.send(n) : window.ack(n));
  }
  const tracker = new StreamTracker();
  const track = (frame: Tracked): string =>
    tracker.track({
      flags: frame.flags,
      appProtoId: frame.appProtoId,
      tenantId: BigInt(`0x${frame.tenantId}`),
      corrId: BigInt(frame.corrId),
    }, frame.dir);
  if (op === "track") return vector.frames.map(track).slice(0, (vector.expect as string[]).length);
  for (let i = 0; i < vector.startEndPairs; i++) {
    track({ ...vector.then, flags: 9, corrId: String(i) });
    track({ ...vector.then, flags: 17, corrId: String(i) });
  }
  return track(vector.then);
}

interface ChunkCase {
  name: string;
  op: "chunk" | "fragment";
  len: number;
  chunkBytes: number;
  payloadLen: number;
  capabilityLen: number;
  flags: number;
  maxFrameBytes?: number;
  expect: {
    count: number;
    full: number;
    last: number;
    frames?: { times: number; len: number; flags: number; payloadLen: number }[];
    error?: { name: string };
  };
}

describe("chunk vectors", () => {
  for (const vector of vectors<ChunkCase>("chunk")) {
    it(vector.name, () => {
      const { expect } = vector;
      if (vector.op === "chunk") assert.deepEqual(chunk(vector.len, vector.chunkBytes), expect);
      else {
        const options = vector.maxFrameBytes === undefined
          ? {}
          : { maxFrameBytes: vector.maxFrameBytes };
        const head = { flags: vector.flags, code: 0, appProtoId: 9, tenantId: 0n, corrId: 1n };
        const capability = vector.capabilityLen === 0
          ? undefined
          : new Uint8Array(vector.capabilityLen);
        const payload = new Uint8Array(vector.payloadLen);
        const frames = attempt(() => fragment(payload, { ...head, capability }, options));
        if (expect.error !== undefined) {
          assert.equal(frames instanceof CodecError && frames.fault, expect.error.name);
        } else {
          assert.ok(Array.isArray(frames), String(frames));
          const shapes = (frames as Frame[]).map((frame) => ({
            len: encodeFrame(frame, options).length,
            flags: frame.flags,
            payloadLen: frame.payload.length,
          }));
          assert.deepEqual(
            shapes,
            expect.frames?.flatMap(({ times, ...shape }) =>
              Array.from({ length: times }, () => shape)
            ),
          );
        }
      }
      count("chunk");
    });
  }
});

describe("the error table", () => {
  it("I-G5: gives every fault a kind that agrees with its status", () => {
    for (const info of Object.values(FAULTS)) {
      assert.equal(info.status, info.kind === "too_large" ? 413 : 400);
    }
  });
});
