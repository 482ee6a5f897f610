/**
 * Writing headers, against writing them by hand.
 *
 * @module
 */

import { FLAGS } from "../../src/oap/mod.ts";
import { ChunkHeads } from "../../src/oap/chunk_heads.ts";
import { type Effort, measure, type Timing } from "./paired.ts";
import { pureHeads } from "./peers/pure_ts.ts";
import { against, type Table } from "./report.ts";

const TOTAL = 1 << 20;
const CHUNK = 65_536;

/** The headers of 16 chunks of 64 KiB. */
export function headers(effort: Effort): Table {
  const head = {
    flags: FLAGS.REQ,
    code: 0,
    appProtoId: 7,
    tenantId: 0x1234_5678_9abc_def0_1122n,
    corrId: 0x1234_5678_9abcn,
  };
  const ours = new ChunkHeads(head);
  const bytes = new Uint8Array(16 * 38);
  const view = new DataView(bytes.buffer);
  const same = ours.write(TOTAL, CHUNK, true);
  pureHeads(bytes, view, head, TOTAL, CHUNK);
  if (!same.every((byte, i) => byte === bytes[i])) throw new Error("headers differ");
  const many = (run: () => unknown) => (): unknown => {
    for (let i = 0; i < 99; i++) run();
    return run();
  };
  const timings = measure(
    [
      { name: "one call of the module", run: many(() => ours.write(TOTAL, CHUNK, true)) },
      { name: "pure TS", run: many(() => pureHeads(bytes, view, head, TOTAL, CHUNK)) },
    ],
    1600,
    effort,
  );
  const [a, b] = timings as [Timing, Timing];
  return {
    id: "heads_16",
    title: "headers of 16 chunks",
    unit: "ns/header",
    timings,
    ratios: [against(a, b, 1.5)],
  };
}
