/**
 * What people have to say about the figures, by id of the row; `deno:ID` and `bun:ID` for one runtime only.
 * `results.ts` puts it beside the tables, so that it survives every run.
 *
 * @module
 */

/** How a suite is presented. */
export interface SuiteText {
  readonly title: string;
  /** What is measured and how, in Markdown. */
  readonly text: string;
  /** Whether each runtime has a table of its own, as their rows have little in common. */
  readonly apart?: boolean;
}

/** The first paragraph. */
export const HEAD: string =
  `Made by \`deno task bench\` and \`bun run bench\`, which measure and then write this file; remarks come
from \`bench/report/remarks.ts\`. Ratios count: each is taken within one run, against something measured in
turns with it, and is above 1 when this library is better. Absolute figures do not travel to another machine.
A goal that is a bound ("within 3 ms") has the bound in the place of the other, and 1 as its goal.`;

/** Suites in the order they are shown. */
export const SUITES: Readonly<Record<string, SuiteText>> = {
  codec: {
    title: "Codec against its peers",
    text:
      `Processor time, median of 9 rounds in turns, each table in a process of its own (\`bench/codec/\`).
"push" hands over memory for good, "lend" for the length of a callback; "copied in" includes a copy of each
64 KiB read into a receive window, as the native peer pays as well. The native peer is tokio-util's
\`LengthDelimitedCodec\` with the header parsed by hand (\`bench/peers/native/\`).`,
  },
  e2e: {
    title: "End to end over loopback",
    text:
      `Client and server in processes of their own, all kinds in turns, processor time of both ends together
(\`bench/e2e/\`, \`bench/peers/\`). Each peer has its fastest documented settings: \`bench/peers/README.md\`.`,
  },
  scaling: {
    title: "Scaling",
    text:
      `What one message or one connection costs as there are more of them (\`bench/scaling/\`). An exponent of 0
is a cost that stays the same, 1 one that doubles with their number.`,
  },
  startup: {
    title: "Start-up and size",
    text:
      `Fresh processes in turns (\`bench/startup/\`). Import times are wall time, which a start is.`,
  },
  load: {
    title: "Under load",
    text:
      `A server over TLS at a steady rate, requests sent when they are due whether or not answers come
(\`bench/load/\`): a tenth of the load of a rig of 8 cores. Wall time, so the load of the machine is in it.`,
  },
  micro: {
    title: "Single operations",
    text:
      `Wall time of one call: \`deno bench\` on Deno, the loop of \`bench/harness.ts\` on Bun. A baseline is the
same work by the code that one writes first, by the runtime's own library, or (\`ts_vs_wasm_*\`) in TypeScript
alone, where a path in WebAssembly should have a fifth more throughput to stay.`,
  },
  profile: {
    title: "Where the time goes",
    text: "Processor profile of the loopback run: the first 15 by self time.",
    apart: true,
  },
};

const VIEW =
  "making the view costs 25 ns (Deno) to 45 ns (Bun) in the engine, in either decoder; what is left is 5 ns for an index of checked frames";
const SPLIT =
  "one frame in each 64 KiB read is split over two reads and put together by copying, which comes to about 20 ns a frame of 1 KiB; the copy of every byte into the module's window is another 25 ns";
const NATIVE = "the engine's view of the payload alone takes longer than the native codec for all";
const CHECKS = "overflow checks are left on in `zlib-rs`, as lengths of strangers pass through it";

/** By id of the row. */
export const REMARKS: Readonly<Record<string, string>> = {
  "bun:decode_64_payload.push_vs_naive_concat": VIEW,
  "bun:decode_64_payload.push_vs_it_length_prefixed": VIEW,
  "decode_64_payload.push_vs_pure_ts": VIEW,
  "decode_64_payload.copied_in_then_lend_vs_native_copied_in": NATIVE,
  "decode_1024_fields.copied_in_then_lend_vs_native_copied_in": SPLIT,
  "guard_64k_deflate.guard_vs_native": CHECKS,
  "guard_64k_deflate.guard_vs_fflate": CHECKS,
  "guard_64k_gzip.guard_vs_native":
    `${CHECKS}; and gzip pays for its CRC, which is computed eight bytes at a time without carry-less multiplication`,
  "guard_64k_gzip.guard_vs_fflate": `${CHECKS}; fflate does not check the CRC at all`,
  ts_vs_wasm_decode_64:
    "kept all the same: within a fifth of TypeScript, and one grammar, fuzzed, for every host; see `docs/adr/0001`",
  ts_vs_wasm_decode_1024:
    "kept all the same, see above; the copy into the module's window is what it costs",
};
