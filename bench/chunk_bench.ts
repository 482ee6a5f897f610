/**
 * Cutting a payload into chunks.
 *
 * @module
 */

import { chunk, FLAGS, fragment } from "../src/oap/mod.ts";
import { noise } from "./data.ts";
import { bench } from "./harness.ts";

const MIB = noise(1024 * 1024);
const head = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };

bench({
  id: "bench_chunker",
  group: "chunk",
  units: 16,
  run: () => chunk(MIB.length, 65_536),
});
bench({
  id: "bench_fragment_1mib",
  group: "chunk",
  units: 16,
  run: () => fragment(MIB, head),
});
