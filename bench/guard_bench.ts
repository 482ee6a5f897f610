/**
 * Inflating under a bound.
 *
 * @module
 */

import * as zlib from "node:zlib";
import { inflate } from "../src/oap/mod.ts";
import { text } from "./data.ts";
import { bench } from "./harness.ts";

const MIB = 1024 * 1024;
const plain = text(MIB);
const gzip = new Uint8Array(zlib.gzipSync(plain));
/** Missing before Node 22. */
const { zstdCompressSync } = zlib as Partial<Pick<typeof zlib, "zstdCompressSync">>;

bench({
  id: "bounded_inflate_guard_1mib",
  group: "guard",
  bytes: MIB,
  run: () => inflate(gzip, { codec: "gzip" }),
});
if (zstdCompressSync !== undefined) {
  const zstd = new Uint8Array(zstdCompressSync(plain, {
    params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
  }));
  bench({
    id: "bounded_inflate_guard_1mib_zstd",
    group: "guard",
    bytes: MIB,
    run: () => inflate(zstd, { codec: "zstd" }),
  });
}
const bomb = new Uint8Array(zlib.gzipSync(new Uint8Array(20 * MIB)));
bench({
  id: "guard_refuses_bomb",
  group: "guard",
  bytes: bomb.length,
  run: () => {
    try {
      return inflate(bomb, { codec: "gzip" });
    } catch (error) {
      return error;
    }
  },
});
