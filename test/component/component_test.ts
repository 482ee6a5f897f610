/**
 * The component against the conformance vectors: the same core as the library's module, reached through another
 * binding, has to give the same results. It is a build product, so the tests are skipped, with the reason, where it
 * was not built: `scripts/build_wasm.sh --component`.
 *
 * Not expressible and therefore not run: HELLO and stream vectors (the component has neither), and encode cases that
 * name a version (there is one).
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import {
  assertBytes,
  bytes,
  type Expected,
  type ExpectedFrame,
  type Gen,
  vectors,
} from "../vectors.ts";

const FRAME_BYTES = 1_048_576;
const SLICE = 65_536;

interface ComponentFrame {
  flags: number;
  code: number;
  appProtoId: number;
  tenantId: [bigint, bigint];
  corrId: bigint;
  capability: Uint8Array;
  payload: Uint8Array;
}

interface Component {
  codec: {
    encode(frame: ComponentFrame, maxFrame: number): Uint8Array;
    mayCompress(raw: number, compressed: number, maxFrame: number): boolean;
    chunk(len: number, chunkBytes: number): { count: number; full: number; last: number };
    fragment(payload: number, capability: number, flags: number, maxFrame: number): {
      times: number;
      payloadLen: number;
      capabilityLen: number;
      flags: number;
    }[];
    Decoder: {
      open(maxFrame: number, inflate: boolean): Disposable & {
        push(bytes: Uint8Array): { frames: ComponentFrame[]; fault?: string; pending: number };
      };
    };
  };
  guard: { inflate(format: string, input: Uint8Array, maxOut: number): Uint8Array };
}

type Source = { hex?: string; gen?: Gen };

interface DecodeCase extends Source {
  name: string;
  maxFrameBytes?: number;
  codec?: false;
  cuts?: number[] | { every: number };
  expect: { frames: ExpectedFrame[]; error?: { name: string }; needMore?: true };
}

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
  rawLen: number;
  compressedLen: number;
  maxFrameBytes?: number;
  expect: { hex?: string; len?: number; sha256?: string; error?: { name: string }; comp?: boolean };
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
    error?: { name: string };
    frames: { times: number; len: number; flags: number; payloadLen: number }[];
  };
}

interface GuardExpect {
  ok?: { len: number; sha256: string };
  error?: string;
  anyOf?: GuardExpect[];
}

interface GuardCase extends Source {
  name: string;
  codec: string;
  maxRatio?: number;
  maxOutputBytes?: number;
  expect: GuardExpect;
}

const built = new URL("../../wasm/pkg/component/js/oap.js", import.meta.url);
const skip = existsSync(built)
  ? false
  : "the component is not built: scripts/build_wasm.sh --component";

/** `frame-too-large` as vectors write it. */
function faultName(fault: string): string {
  return fault.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The typed error that a call threw: its tag, or the fault inside. */
function thrown(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (cause) {
    const { payload } = cause as { payload?: { tag: string; val?: string } };
    if (payload === undefined) throw cause; // a trap, not an answer
    return payload.tag === "fault" ? faultName(payload.val ?? "") : payload.tag;
  }
}

function* slices(input: Uint8Array, cuts: DecodeCase["cuts"]): Generator<Uint8Array> {
  const every = Array.isArray(cuts) ? SLICE : cuts?.every ?? SLICE;
  const ends = Array.isArray(cuts) ? [...cuts] : [];
  for (let at = every; !Array.isArray(cuts) && at < input.length; at += every) ends.push(at);
  let from = 0;
  for (const to of [...ends, input.length]) {
    yield input.slice(from, to);
    from = to;
  }
}

function assertFrame(actual: ComponentFrame, expected: ExpectedFrame, what: string): void {
  const { flags, code, appProtoId, tenantId: [high, low], corrId } = actual;
  const tenantId = (high << 64n | low).toString(16).padStart(32, "0");
  assert.deepEqual(
    { flags, code, appProtoId, tenantId, corrId: String(corrId) },
    {
      flags: expected.flags,
      code: expected.code,
      appProtoId: expected.appProtoId,
      tenantId: expected.tenantId,
      corrId: expected.corrId,
    },
    what,
  );
  assertBytes(actual.capability, expected.capability, `${what}: capability`);
  assertBytes(actual.payload, expected.payload, `${what}: payload`);
}

function runDecode({ codec }: Component, test: DecodeCase, cuts: DecodeCase["cuts"]): void {
  const { expect, name } = test;
  using decoder = codec.Decoder.open(test.maxFrameBytes ?? FRAME_BYTES, test.codec !== false);
  const frames: ComponentFrame[] = [];
  let fault: string | undefined;
  let pending = 0;
  for (const slice of slices(bytes(test), cuts)) {
    const batch = decoder.push(slice);
    frames.push(...batch.frames);
    fault = batch.fault;
    pending = batch.pending;
  }
  assert.equal(frames.length, expect.frames.length, name);
  frames.forEach((frame, i) => assertFrame(frame, expect.frames[i] as ExpectedFrame, name));
  assert.equal(fault && faultName(fault), expect.error?.name, name);
  assert.equal(pending > 0, expect.needMore === true, name);
}

function runEncode({ codec }: Component, test: EncodeCase): void {
  const { expect, frame, name } = test;
  const maxFrame = test.maxFrameBytes ?? FRAME_BYTES;
  if (test.op === "compDecision") {
    return assert.equal(
      codec.mayCompress(test.rawLen, test.compressedLen, maxFrame),
      expect.comp,
      name,
    );
  }
  const part = (source: Gen | null) => source === null ? new Uint8Array(0) : bytes(source);
  const tenant = BigInt(`0x${frame.tenantId}`);
  const input: ComponentFrame = {
    flags: frame.flags,
    code: frame.code,
    appProtoId: frame.appProtoId,
    tenantId: [tenant >> 64n, BigInt.asUintN(64, tenant)],
    corrId: BigInt(frame.corrId),
    capability: part(frame.capability),
    payload: part(frame.payload),
  };
  if (expect.error) {
    return assert.equal(thrown(() => codec.encode(input, maxFrame)), expect.error.name, name);
  }
  assertBytes(codec.encode(input, maxFrame), (expect.hex ?? expect) as Expected, name);
}

function runChunk({ codec }: Component, test: ChunkCase): void {
  const { expect, name } = test;
  if (test.op === "chunk") {
    const { count, full, last } = codec.chunk(test.len, test.chunkBytes);
    return assert.deepEqual({ count, full, last }, expect, name);
  }
  const call = () =>
    codec.fragment(
      test.payloadLen,
      test.capabilityLen,
      test.flags,
      test.maxFrameBytes ?? FRAME_BYTES,
    );
  if (expect.error) return assert.equal(thrown(call), expect.error.name, name);
  const runs = call().map(({ times, payloadLen, capabilityLen, flags }) => ({
    times,
    len: 38 + capabilityLen + payloadLen,
    flags,
    payloadLen,
  }));
  assert.deepEqual(merged(runs), merged(expect.frames), name);
}

/** Run lengths in their shortest form: vectors may write two equal runs in a row. */
function merged<T extends { times: number }>(runs: T[]): T[] {
  const out: T[] = [];
  for (const run of runs) {
    const last = out.at(-1);
    if (last && JSON.stringify({ ...last, times: 0 }) === JSON.stringify({ ...run, times: 0 })) {
      last.times += run.times;
    } else out.push({ ...run });
  }
  return out;
}

function runGuard({ guard }: Component, test: GuardCase): void {
  const input = bytes(test);
  const ratio = (test.maxRatio ?? 8) * input.length;
  const maxOut = Math.min(test.maxOutputBytes ?? FRAME_BYTES, ratio, FRAME_BYTES);
  let output: Uint8Array | undefined;
  const error = thrown(() => output = guard.inflate(test.codec, input, maxOut))?.replace("-", "_");
  const accepted = test.expect.anyOf ?? [test.expect];
  if (error !== undefined) {
    assert.ok(accepted.some((one) => one.error === error), `${test.name}: ${error}`);
  } else {
    const ok = accepted.find((one) => one.ok !== undefined)?.ok;
    assert.ok(ok, `${test.name}: ${output?.length} bytes`);
    assertBytes(output, ok, test.name);
  }
}

if (skip) console.log(`component: skipped: ${skip}`); // runners show a skip, but not all of them its reason

describe("component", () => {
  let loaded: Promise<Component> | undefined;
  const component = () => loaded ??= import(built.href) as Promise<Component>;

  /** One test a file; each says how many vectors it ran. */
  function file<T extends { name: string }>(
    name: string,
    run: (component: Component, test: T) => void,
    expressible: (test: T) => boolean = () => true,
  ): void {
    it(`gives what ${name}.jsonl expects`, { skip, timeout: 120_000 }, async () => {
      const all = vectors<T>(name);
      const tests = all.filter(expressible);
      const loaded = await component();
      for (const test of tests) run(loaded, test);
      console.log(`component: ${name}: ${tests.length} of ${all.length} vectors`);
    });
  }

  file<DecodeCase>("decode", (component, test) => {
    runDecode(component, test, undefined);
    runDecode(component, test, { every: 997 });
  });
  file<DecodeCase>("split", (component, test) => runDecode(component, test, test.cuts));
  file<EncodeCase>(
    "encode",
    runEncode,
    (test) => test.op !== "encode" || test.frame.ver === undefined,
  );
  file<ChunkCase>("chunk", runChunk);
  file<GuardCase>("guard", runGuard);

  it("refuses arguments above a ceiling", { skip }, async () => {
    const { codec, guard } = await component();
    const frame = {
      flags: 1,
      code: 0,
      appProtoId: 1,
      tenantId: [0n, 0n] as [bigint, bigint],
      corrId: 1n,
      capability: new Uint8Array(0),
      payload: new Uint8Array(0),
    };
    assert.equal(thrown(() => codec.Decoder.open(FRAME_BYTES + 1, true)), "above-ceiling");
    assert.equal(thrown(() => codec.encode(frame, FRAME_BYTES + 1)), "above-ceiling");
    assert.equal(thrown(() => codec.chunk(1, 65_537)), "above-ceiling");
    assert.equal(thrown(() => codec.fragment(1, 0, 1, FRAME_BYTES + 1)), "above-ceiling");
    assert.equal(
      thrown(() => guard.inflate("zstd", new Uint8Array(9), FRAME_BYTES + 1)),
      "above-ceiling",
    );
    assert.equal(
      thrown(() => guard.inflate("zstd", new Uint8Array(FRAME_BYTES + 1), 9)),
      "above-ceiling",
    );
  });
});
