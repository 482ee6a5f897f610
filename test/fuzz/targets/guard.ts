/** The inflate guard, every format, against the runtime's own. */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { CAPS } from "../../../mod.ts";
import { type Codec, CodecError, inflate } from "../../../src/oap/mod.ts";
import { nativeZstd } from "../../../src/runtime/zstd.ts";
import { concat } from "../../vectors.ts";
import { chosen, type FuzzTarget, texts } from "../target.ts";

const CODECS: readonly Codec[] = ["zstd", "gzip", "zlib", "deflate"];
type Inflate = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: Inflate };
const REFERENCE: Readonly<Record<Codec, Inflate | undefined>> = {
  zstd: zstdDecompressSync,
  gzip: zlib.gunzipSync,
  zlib: zlib.inflateSync,
  deflate: zlib.inflateRawSync,
};

/** The first byte chooses the format, the second the ratio, the third the bound. */
function run(input: Uint8Array): string {
  const [choice = 0, ratio = 0, bound = 0] = input;
  const codec = CODECS[choice % 4]!;
  const bytes = input.subarray(3);
  const maxRatio = 1 + ratio % CAPS.inflateRatio;
  const maxOutputBytes = bound === 255 ? CAPS.frameBytes : bound * 64;
  let out: Uint8Array;
  try {
    out = inflate(bytes, { codec, maxRatio, maxOutputBytes });
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error));
    assert.ok(["DecompressBoundExceeded", "corrupt", "unsupported"].includes(error.fault));
    return `${codec} ${error.fault}`;
  }
  assert.ok(out.length <= maxOutputBytes, `${out.length} bytes out, at most ${maxOutputBytes}`);
  assert.ok(out.length <= maxRatio * bytes.length, `${out.length} of ${bytes.length} bytes`);
  // What the guard gives out is what everybody else reads. It refuses more, and that is meant.
  const other = REFERENCE[codec]?.(bytes, { maxOutputLength: Math.max(1, maxOutputBytes) });
  if (other !== undefined) assert.deepEqual(out, new Uint8Array(other));
  return `${codec} ok ${Math.min(12, 32 - Math.clz32(out.length))} ${
    32 - Math.clz32(bytes.length)
  }`;
}

const PLAIN = [
  new Uint8Array(0),
  ...texts("a", "as often as that, as often as this, and no more often than either of these"),
  new Uint8Array(700).fill(7),
  Uint8Array.from({ length: 900 }, (_, i) => (i * i * 31) >> 3),
];
const zstd = await nativeZstd();

function seeds(): Uint8Array[] {
  const made = PLAIN.flatMap((plain) => [
    ...(zstd === undefined ? [] : [[0, new Uint8Array(zstd(plain))] as const]),
    [1, new Uint8Array(zlib.gzipSync(plain))] as const,
    [2, new Uint8Array(zlib.deflateSync(plain))] as const,
    [3, new Uint8Array(zlib.deflateRawSync(plain))] as const,
    [3, new Uint8Array(zlib.deflateRawSync(plain, { level: 0 }))] as const,
  ]);
  return made.map(([codec, bytes]) => concat([Uint8Array.of(codec, 7, 255), bytes]));
}

export const guard: FuzzTarget = {
  name: "guard",
  most: 16_384,
  seeds: [...seeds(), chosen(0, Uint8Array.of(7, 255, 0x28, 0xb5, 0x2f, 0xfd))],
  tokens: [
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), // a zstd frame
    Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0), // a skippable one
    Uint8Array.of(0x1f, 0x8b, 8), // a gzip member
    Uint8Array.of(0x78, 0x9c), // a zlib stream
    Uint8Array.of(3, 0), // an empty deflate block
    Uint8Array.of(0x02, 0xff, 0x1f, 0), // a run-length block of zstd
  ],
  run,
};
