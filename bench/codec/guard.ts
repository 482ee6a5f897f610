/**
 * Inflating within a bound, against decoders without one.
 *
 * @module
 */

import * as zlib from "node:zlib";
import { inflate } from "../../src/oap/mod.ts";
import { soleFrame } from "../../src/oap/zstd_frame.ts";
import { text } from "../data.ts";
import { type Case, type Effort, measure, type Timing } from "./paired.ts";
import type { Optional } from "./peers/optional.ts";
import { against, type Table, within } from "./report.ts";

const SIZE = 65_536;

/** Missing before Node 22. */
const { zstdCompressSync, zstdDecompressSync } = zlib as Partial<
  Pick<typeof zlib, "zstdCompressSync" | "zstdDecompressSync">
>;

/** 64 KiB of text by each format. */
export function guard(effort: Effort, { fflate, fzstd }: Optional): Table[] {
  const plain = text(SIZE);
  const deflated = new Uint8Array(zlib.deflateRawSync(plain));
  const gzipped = new Uint8Array(zlib.gzipSync(plain));
  const tables = [
    compare(
      "deflate",
      [
        { name: "guard", run: () => inflate(deflated, { codec: "deflate" }) },
        { name: "native", run: () => zlib.inflateRawSync(deflated) },
        ...(fflate === undefined
          ? []
          : [{ name: "fflate", run: () => fflate.inflateSync(deflated) }]),
      ],
      { native: 0.8, fflate: 3 },
      effort,
    ),
    compare(
      "gzip",
      [
        { name: "guard", run: () => inflate(gzipped, { codec: "gzip" }) },
        { name: "native", run: () => zlib.gunzipSync(gzipped) },
        ...(fflate === undefined
          ? []
          : [{ name: "fflate", run: () => fflate.gunzipSync(gzipped) }]),
      ],
      { native: 0.8, fflate: 3 },
      effort,
    ),
  ];
  if (zstdCompressSync !== undefined && zstdDecompressSync !== undefined) {
    // Deno puts an empty frame behind it, which the wire does not take.
    const packed = soleFrame(new Uint8Array(zstdCompressSync(plain))) as Uint8Array;
    tables.push(compare(
      "zstd",
      [
        { name: "guard", run: () => inflate(packed, { codec: "zstd" }) },
        { name: "native", run: () => zstdDecompressSync(packed) },
        ...(fzstd === undefined ? [] : [{ name: "fzstd", run: () => fzstd.decompress(packed) }]),
      ],
      { native: 0.5, fzstd: 1.2 },
      effort,
    ));
  }
  return [...tables, bombs(effort)];
}

function compare(
  codec: string,
  cases: readonly Case[],
  goals: Readonly<Record<string, number>>,
  effort: Effort,
): Table {
  const timings = measure(cases, 1, effort);
  const [ours, ...others] = timings as [Timing, ...Timing[]];
  const ratios = others.map((other) => against(ours, other, goals[other.name] ?? null));
  return {
    id: `guard_64k_${codec}`,
    title: `${codec}, 64 KiB`,
    unit: "ns/call",
    timings,
    ratios,
  };
}

function refused(packed: Uint8Array): () => unknown {
  return () => {
    try {
      return inflate(packed, { codec: "zstd" });
    } catch (error) {
      return error;
    }
  };
}

/** Frames that claim too much: refused before anything is made of them. */
function bombs(effort: Effort): Table {
  // 1 MiB of zeros in blocks of one repeated byte; and a window of 96 MiB claimed by 2 KiB.
  const zeros = Uint8Array.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0xa0,
    0,
    0,
    0x10,
    0,
    ...Array.from({ length: 8 }, (_, i) => [i === 7 ? 3 : 2, 0, 0x10, 0]).flat(),
  ]);
  const window = new Uint8Array(2048);
  window.set([0x28, 0xb5, 0x2f, 0xfd, 0, 0x84, 0x01, 0x3f, 0]);
  const timings = measure(
    [
      { name: "41 B that become 1 MiB", run: refused(zeros) },
      { name: "2 KiB with a window of 96 MiB", run: refused(window) },
    ],
    1,
    effort,
  );
  return {
    id: "bombs",
    title: "bombs",
    unit: "ns/call",
    timings,
    ratios: timings.map((timing) => within(timing, 20_000, "20 µs")),
  };
}
