/**
 * Peers that may be missing: see `setup.sh`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../test/runtimes.ts";

/** Nanoseconds a frame of the native peer. */
export interface Native {
  /** The codec alone, bytes in its buffer. */
  readonly ns: number;
  /** With the copy of each read into that buffer. */
  readonly filledNs: number;
}

/** What is there. */
export interface Optional {
  readonly runtime: "deno" | "bun" | "node";
  /** Decodes reads by `it-length-prefixed`, and makes a view of each payload. */
  readonly lengthPrefixed: ((reads: readonly Uint8Array[]) => number) | undefined;
  /** By size of payload. */
  readonly native: Readonly<Record<number, Native>> | undefined;
  readonly fflate: Fflate | undefined;
  readonly fzstd: { decompress(bytes: Uint8Array): Uint8Array } | undefined;
}

/** The part of `fflate` that is compared. */
export interface Fflate {
  inflateSync(bytes: Uint8Array): Uint8Array;
  gunzipSync(bytes: Uint8Array): Uint8Array;
}

interface Pieces {
  subarray(): Uint8Array;
  getUint32(at: number): number;
}

interface LengthPrefixed {
  decode(
    source: Iterable<Uint8Array>,
    options: {
      lengthDecoder: ((data: Pieces) => number) & { bytes?: number };
      maxDataLength: number;
    },
  ): Iterable<Pieces>;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function load<T>(path: string): Promise<T | undefined> {
  const file = here(path);
  return existsSync(file) ? await import(file) as T : undefined;
}

function native(quick: boolean): Record<number, Native> | undefined {
  const file = here("../../peers/native/target/release/ron-transport-native-peer");
  if (!existsSync(file)) return undefined;
  const { stdout } = spawnSync(file, quick ? ["--quick"] : []);
  return JSON.parse(stdout.toString()) as Record<number, Native>;
}

function lengthPrefixed({ decode }: LengthPrefixed): (reads: readonly Uint8Array[]) => number {
  const lengthDecoder = (data: Pieces): number => data.getUint32(0);
  lengthDecoder.bytes = 4;
  return (reads) => {
    let sum = 0;
    for (const frame of decode(reads, { lengthDecoder, maxDataLength: 1_048_576 })) {
      const bytes = frame.subarray();
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      sum += view.getUint16(2) + view.getUint16(4) + view.getUint16(6);
      sum += bytes.subarray(34 + view.getUint16(24)).length;
    }
    return sum;
  };
}

/** Loads what is there, and measures the native peer. */
export async function optional(quick: boolean): Promise<Optional> {
  const prefixed = await load<LengthPrefixed>("./node_modules/.bundle/it_length_prefixed.mjs");
  return {
    runtime: runtimeName(),
    lengthPrefixed: prefixed === undefined ? undefined : lengthPrefixed(prefixed),
    native: native(quick),
    fflate: await load<Fflate>("./node_modules/.bundle/fflate.mjs"),
    fzstd: await load("./node_modules/.bundle/fzstd.mjs"),
  };
}
