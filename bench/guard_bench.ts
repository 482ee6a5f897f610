/**
 * Inflating under a bound.
 *
 * @module
 */

import * as zlib from "node:zlib";
import { inflate } from "../src/oap/mod.ts";
import { soleFrame } from "../src/oap/zstd_frame.ts";
import { text } from "./data.ts";
import { bench } from "./harness.ts";

const MIB = 1024 * 1024;
const plain = text(MIB);
const gzip = new Uint8Array(zlib.gzipSync(plain));
/** Missing before Node 22. */
const { zstdCompressSync, zstdDecompressSync } = zlib as Partial<
  Pick<typeof zlib, "zstdCompressSync" | "zstdDecompressSync">
>;

function pair(id: string, bytes: number, ours: () => unknown, theirs: () => unknown): void {
  bench({ id, group: id, bytes, run: ours });
  bench({ id: `${id}.native`, group: id, baseline: true, bytes, run: theirs });
}

/** What it was refused with. */
function refused(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("guard_bench: a bomb was let through");
}

pair(
  "bounded_inflate_guard_1mib",
  MIB,
  () => inflate(gzip, { codec: "gzip" }),
  () => zlib.gunzipSync(gzip, { maxOutputLength: MIB }),
);
if (zstdCompressSync !== undefined && zstdDecompressSync !== undefined) {
  const zstd = soleFrame(
    new Uint8Array(zstdCompressSync(plain, {
      params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
    })),
  ) as Uint8Array;
  pair(
    "bounded_inflate_guard_1mib_zstd",
    MIB,
    () => inflate(zstd, { codec: "zstd" }),
    () => zstdDecompressSync(zstd, { maxOutputLength: MIB }),
  );
}
const bomb = new Uint8Array(zlib.gzipSync(new Uint8Array(20 * MIB)));
pair(
  "guard_refuses_bomb",
  bomb.length,
  () => refused(() => inflate(bomb, { codec: "gzip" })),
  () => refused(() => zlib.gunzipSync(bomb, { maxOutputLength: MIB })),
);
