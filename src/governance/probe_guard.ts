/**
 * What must be refused, tried on the library that runs: bombs, bounds above the ceilings and switches
 * that would turn the guard off. The outcome of each attempt is an identifier, so that one that gets
 * through is a change like any other, which no approval makes legal.
 *
 * @module
 */

import { CAPS, Transport, type TransportConfig, TransportError } from "../../mod.ts";
import { compress } from "../compress/mod.ts";
import { KEY_LIST } from "../config/keys.ts";
import { loadConfig } from "../config/mod.ts";
import { CODECS } from "../oap/abi.ts";
import { type Codec, Decoder, encodeFrame, FLAGS, fragment, inflate } from "../oap/mod.ts";
import { rawModule } from "./probe_module.ts";

/** The ceilings that the policy fixes. */
export interface GuardFigures {
  readonly frameBytes: number;
  readonly chunkBytes: number;
  readonly inflateRatio: number;
}

/** Something tried. */
export type Attempt = () => unknown;

const HEAD = {
  flags: FLAGS.REQ | FLAGS.START | FLAGS.END | FLAGS.COMP,
  code: 0,
  appProtoId: 1,
  tenantId: 0n,
  corrId: 1n,
};
/** What a switch would be called. */
const SWITCHES = {
  guard: false,
  guarded: false,
  unguarded: true,
  unsafe: true,
  trusted: true,
  trust: true,
  unlimited: true,
  noLimit: true,
  skipGuard: true,
  checkRatio: false,
  ratio: 1_000,
  maxBytes: 2 ** 40,
};
const NAMES = /ratio|guard|bucket|histogram|edge|reason|readiness|version|flag_?bits|caps|unsafe/i;

/** The outcome of each attempt: the kind or fault of the refusal, or what came out. */
export async function guardOutcomes(figures: GuardFigures): Promise<Record<string, string>> {
  const { frameBytes, chunkBytes, inflateRatio } = figures;
  const bombs: [Codec, Uint8Array][] = [
    ["zstd", zstdRuns(131_072, 8)],
    ...(["gzip", "zlib", "deflate"] as const).map((codec): [Codec, Uint8Array] => [
      codec,
      compress(new Uint8Array(262_144), codec),
    ]),
  ];
  const attempts: Record<string, Attempt> = {};
  for (const [codec, bomb] of bombs) {
    attempts[`inflate: a bomb of ${codec}`] = () => inflate(bomb, { codec });
    attempts[`inflate: a bomb of ${codec}, with switches`] = () =>
      inflate(bomb, { codec, ...SWITCHES });
    attempts[`module: a bomb of ${codec}`] = () => rawGuard(codec, bomb, frameBytes);
    attempts[`module: output of ${codec} above the frame`] = () =>
      rawGuard(codec, bomb, frameBytes + 1);
  }
  const [, zstd] = bombs[0]!;
  const small = zstdRuns(1, 1).length;
  Object.assign(attempts, {
    "inflate: as much as the ratio allows": () =>
      inflate(zstdRuns(small * inflateRatio, 1), { codec: "zstd" }),
    "inflate: one byte above the ratio": () =>
      inflate(zstdRuns(small * inflateRatio + 1, 1), { codec: "zstd" }),
    "inflate: a ratio above the ceiling": () =>
      inflate(zstd, { codec: "zstd", maxRatio: inflateRatio + 1 }),
    "inflate: output above the ceiling": () =>
      inflate(zstd, { codec: "zstd", maxOutputBytes: frameBytes + 1 }),
    "decoder: a frame with a bomb": () => decode(zstd, {}),
    "decoder: a frame with a bomb, with switches": () => decode(zstd, SWITCHES),
    "decoder: a compressed frame without a codec": () => decode(zstd, { inflate: false }),
    "decoder: frames above the ceiling": () => new Decoder({ maxFrameBytes: frameBytes + 1 }),
    "encoder: frames above the ceiling": () =>
      encodeFrame({ ...HEAD, payload: zstd }, { maxFrameBytes: frameBytes + 1 }),
    "fragment: frames above the ceiling": () =>
      fragment(zstd, HEAD, { maxFrameBytes: frameBytes + 1 }),
    "module: a frame limit above the ceiling": () => raw("hot_index", 0, frameBytes + 1, 1),
    "module: the greatest frame limit": () => raw("hot_index", 0, -1, 1),
    "module: rows with a frame limit above the ceiling": () => raw("hot_rows", 0, frameBytes + 1),
    "module: a chunk above the ceiling": () =>
      raw("hot_chunk", 1, 0, chunkBytes + 1, 1, 0, 0, 0, 0, 0, 0, 0),
    "module: more input than a frame": () => raw("hot_guard_in", frameBytes + 1),
    "configuration: frames above the ceiling": () =>
      started({ limits: { max_frame_bytes: frameBytes + 1 } }),
    "configuration: chunks above the ceiling": () =>
      started({ limits: { chunk_bytes: chunkBytes + 1 } }),
    "configuration: a ratio": () => started({ limits: { inflate_ratio: inflateRatio + 1 } }),
    "configuration: the guard off": () => started({ guard: false }),
    "configuration: other ceilings": () => started({ caps: { frameBytes: frameBytes + 1 } }),
    "environment: the guard off": () => loadConfig({ env: { RON_TRANSPORT_GUARD: "off" } }),
    "environment: a ratio": () => loadConfig({ env: { RON_TRANSPORT_INFLATE_RATIO: "1000" } }),
    "flags: the guard off": () => loadConfig({ env: {}, flags: { "transport.guard": "off" } }),
    "module: other bytes than those of the digest": tampered,
    "ceilings: changed in place": () => Object.assign(CAPS, { frameBytes: frameBytes + 1 }),
  });
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) outcomes[name] = await outcome(attempt);
  const names = KEY_LIST.flatMap(({ path, env, flag = "" }) => [path, env, flag]);
  outcomes["configuration: keys that name the guard or a ceiling"] =
    names.filter((name) => NAMES.test(name)).join(", ") || "none";
  return outcomes;
}

/** What an attempt came to: the kind or fault of its refusal, or what it gave. */
export async function outcome(attempt: Attempt): Promise<string> {
  try {
    const came = await attempt();
    if (came instanceof Uint8Array) return `${came.length} bytes came out`;
    return typeof came === "string" ? came : "allowed";
  } catch (error) {
    if (TransportError.is(error)) return error.fault ?? error.kind;
    return error instanceof Error ? error.name : "thrown";
  }
}

function decode(payload: Uint8Array, options: object): string {
  const decoder = new Decoder(options);
  const bytes = encodeFrame({ ...HEAD, payload });
  let out = 0;
  decoder.push(bytes).forEach((frame) => out += frame.payload.length);
  return decoder.error?.fault ?? `${out} bytes came out`;
}

function started(document: Record<string, unknown>): string {
  void new Transport(document as TransportConfig).close();
  return "allowed";
}

/** The answer of an export, by what it means. */
function raw(name: string, ...args: number[]): string {
  const module = rawModule();
  const answer = module[name]!(module["hot_new"]!(), ...args) >>> 0;
  return answer === 0xffff_ffff ? "refused" : `answered ${answer}`;
}

function rawGuard(codec: Codec, bytes: Uint8Array, maxOut: number): string {
  const module = rawModule();
  const self = module["hot_new"]!();
  const at = module["hot_guard_in"]!(self, bytes.length) >>> 0;
  new Uint8Array(module.memory.buffer, at, bytes.length).set(bytes);
  const length = module["hot_guard"]!(self, CODECS.indexOf(codec), bytes.length, maxOut) | 0;
  return length < 0 ? `refused ${length}` : `${length} bytes came out`;
}

/**
 * Starts the library anew with a module that has one more section, which changes nothing but its digest.
 * A query makes it another instance of the file, whatever was started before; Bun wants a relative path.
 */
async function tampered(): Promise<string> {
  const file = import.meta.url.endsWith(".ts") ? "instance.ts" : "instance.js";
  const [decode, native] = [globalThis.atob, Uint8Array as { fromBase64?: Decode }];
  const { fromBase64 } = native;
  globalThis.atob = (text) => decode(text) + SECTION;
  if (fromBase64 !== undefined) {
    native.fromBase64 = (text) => {
      const bytes = fromBase64(text);
      return Uint8Array.from([...bytes, ...Array.from(SECTION, (char) => char.charCodeAt(0))]);
    };
  }
  try {
    const fresh = await import(`../oap/${file}?tampered`) as {
      readonly wasmInfo: () => unknown;
    };
    fresh.wasmInfo();
    return "allowed";
  } finally {
    globalThis.atob = decode;
    if (fromBase64 !== undefined) native.fromBase64 = fromBase64;
  }
}

type Decode = (text: string) => Uint8Array<ArrayBuffer>;

/** A custom section of WebAssembly named `x`, as the characters of its bytes. */
const SECTION = "\x00\x02\x01x";

/** A zstd frame of run-length blocks, each of which inflates to `each` bytes, at most 128 KiB. */
function zstdRuns(each: number, blocks: number): Uint8Array {
  const body = Array.from({ length: blocks }, (_, i) => {
    const head = each << 3 | 1 << 1 | (i === blocks - 1 ? 1 : 0);
    return [head & 0xff, head >> 8 & 0xff, head >> 16 & 0xff, 0x2e];
  });
  return new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, ...body.flat()]);
}
