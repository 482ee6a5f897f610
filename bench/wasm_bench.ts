/**
 * Whether WebAssembly earns its place on a path: against TypeScript alone, which it should outdo by a fifth.
 *
 * @module
 */

import { gunzipSync, inflateSync } from "fflate";
import * as zlib from "node:zlib";
import { ChunkHeads } from "../src/oap/chunk_heads.ts";
import { Decoder, FLAGS, inflate } from "../src/oap/mod.ts";
import { PureDecoder, pureHeads } from "./codec/peers/pure_ts.ts";
import { wire } from "./codec/wire.ts";
import { text } from "./data.ts";
import { bench } from "./harness.ts";

/** More throughput than TypeScript, for a path in WebAssembly to stay. */
const GOAL = 1.2;

function pair(id: string, units: number, ours: () => unknown, theirs: () => unknown): void {
  bench({ id, group: id, units, goal: GOAL, run: ours });
  bench({ id: `${id}.ts`, group: id, baseline: true, units, run: theirs });
}

for (const size of [64, 1024]) {
  const { reads, frames } = wire(size, 256 * 1024);
  const ours = new Decoder();
  const theirs = new PureDecoder();
  const seen = { sum: 0, view: reads[0] };
  pair(`ts_vs_wasm_decode_${size}`, frames, () => {
    for (const read of reads) {
      ours.push(read).forEach((f) => {
        const view = seen.view = f.payload as Uint8Array<ArrayBuffer>;
        seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + view.length) | 0;
      });
    }
    return seen;
  }, () => {
    for (const read of reads) {
      theirs.push(read, (f) => {
        const view = seen.view = f.payload as Uint8Array<ArrayBuffer>;
        seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + view.length) | 0;
      });
    }
    return seen;
  });
}

const head = {
  flags: FLAGS.REQ,
  code: 0,
  appProtoId: 7,
  tenantId: 0x1234_5678_9abc_def0_1122n,
  corrId: 0x1234_5678_9abcn,
};
const heads = new ChunkHeads(head);
const bytes = new Uint8Array(16 * 38);
const view = new DataView(bytes.buffer);
pair(
  "ts_vs_wasm_heads_16",
  16,
  () => heads.write(1 << 20, 65_536, true),
  () => pureHeads(bytes, view, head, 1 << 20, 65_536),
);

const plain = text(65_536);
const deflated = new Uint8Array(zlib.deflateRawSync(plain));
const gzipped = new Uint8Array(zlib.gzipSync(plain));
pair(
  "ts_vs_wasm_inflate_64k",
  1,
  () => inflate(deflated, { codec: "deflate" }),
  () => inflateSync(deflated),
);
pair(
  "ts_vs_wasm_gunzip_64k",
  1,
  () => inflate(gzipped, { codec: "gzip" }),
  () => gunzipSync(gzipped),
);
