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
  tls: {
    title: "TLS",
    text:
      `Over this library, over \`node:tls\` and over the runtime's native API, in turns; the other end is a process
of its own (\`bench/tls/\`). Bulk is processor time of this end, in writes of 256 KiB, after 2 GiB of each way in
writes of 64 KiB, so that compiling is over; handshakes are wall time, so the load of the machine is in them.

\`node:tls by hand\` is the shortest program that has the features configured here (\`bench/tls/by_hand.ts\`): TLS
1.3 only, admission before the handshake, deadlines, an end told from a cut, reading that can be held back. The
goal is set against it. Plain \`node:tls\`, as its documentation shows it, offers less: its rows tell what those features cost. The
native APIs are the limit; they let TLS 1.2 in and cannot tell the version afterwards.`,
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
      `Fresh processes in turns (\`bench/startup/\`), processor time but where wall time is said. Modules are imported
by names that no script holds: what Deno finds in the text it loads before any clock runs. The first instance
holds decoding, the digest, compiling and the check of the ceilings; a server makes it for its first connection,
after it has bound an address.`,
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
    text:
      `Processor profile of the loopback run: the first 15 by self time. Bun's profiler gives 5 to 10 % of an end
another name in each run, of functions that do not run then, such as zod's or \`admits\`, which a count showed to
be called once for a connection.`,
    apart: true,
  },
};

const VIEW =
  "making the view of a payload costs 25 ns on Deno and 45 ns on Bun in the engine itself, in any decoder; an index of checked frames costs 5 ns more";
const SPLIT =
  "one frame in each 64 KiB read is split over two reads and put together by copying, which comes to about 20 ns a frame of 1 KiB; copying every byte into the module's window is another 25 ns";
const NATIVE = "the engine's view of the payload alone takes longer than the native codec for all";
const CHECKS =
  "what is left after the overflow checks of zlib-rs went (ADR 12); it has not been profiled";
const CRC =
  "gzip pays for its CRC as well, eight bytes at a time without the carry-less multiplication that native code has: 27 of 117 µs by the difference to deflate (Deno, 2026-11-29, load 12)";
const WORK =
  "a raw sink neither makes nor looks at frames. Both ends take 113 to 116 ns a frame on Deno and 109 to 125 on Bun, a sink 27 to 30 and 36 to 42 (2026-11-29, load 5 to 10). By perf (load 7) 49 ns are compiled code on Deno and 41 on Bun, 29 and 30 the runtime with copies, views and bigints, 37 and 43 the kernel: 0.5 leaves 20 ns and 35 for all that is not the kernel. It is not the size of writes: a sink that writes 26 KiB at a time, as the inbox of 256 items lets us, takes 31 to 34 ns on Deno";
const OTHER_MACHINE =
  "On an Intel Xeon (2026-11-30, nothing else to do) a frame takes 0.33 µs on both where it took 0.12 on an AMD EPYC, and the sink is as fast as there; the library of 0ef6d40, which was measured on the EPYC, takes 0.20 to 0.33 in turns with this one. Why is not known";
const SINK =
  "by perf on 2026-11-29 (sender, receiver; load 8 to 10) 45 and 33 % of the time is the kernel on Deno, 7 and 5 % the runtime, whose streams of node:net send header and body by one writev(), 6 and 2 % compiled code; of a Deno.Conn sink 50 and 41, 3 and 4 %, and none. On Bun 32 and 26 % are the kernel, 5 and 14 % the runtime, 4 % the copy of each receive, 4 and 2 % compiled code, 11 % compiling and garbage. In turns it was 0.84 on Deno and 0.77 on Bun (load 9). Sinks are faster than in earlier results: blocks of 128 KiB, and on Bun receives that are freed at once, a quarter of the receiver";
const STREAM =
  "it depends on the machine: 1.27 on Deno and 0.83 on Bun on an AMD EPYC (2026-11-29, in turns, load 8), where results of Intel Xeons had 0.67 and 0.59, and 0.68 and 0.65; the library of 31819e8 was within 4 % of this one in the same turns. By perf (sender, receiver) 49 and 30 % of the time is the kernel on Deno, 7 and 5 % the runtime, 4 and 2 % compiled code; on Bun 43 and 25, 4 and 11, 3 and 2 %, and 5 % the copy of each receive; of a raw Bun socket 44 and 33, 3 and 8, none and 6 %";
const BUSY =
  "measured while the machine had twenty things to do; with a load below 1 it was reached: 1.46";
const RAW_ASK =
  "both do the same system calls, 64 messages in each, and neither copies an answer. A request with its answer takes 0.57 µs on Deno and 0.58 to 0.64 on Bun, by the raw socket 0.38 and 0.41 (2026-11-29, load 5). By perf (load 6 to 8; both ends) 190 ns are compiled code on Deno and 165 on Bun, where the raw socket has 40 and 33; 260 and 280 the runtime with views, copies, bigints and garbage, where that has 210 and 215; the rest, which is the kernel, is the same. 0.8 would leave 90 ns for compiled code: two headers made, two checked and 64 ids matched at both ends. No function has more than 3 % of the time. request() itself, with a promise and a deadline for each, is in the row below";
const ZOD =
  "by laps on 2026-11-29 (load 5 to 8) what comes on top of importing the same modules is 14 ms for the import, 2 to 3 for a first transport and 4 for listening, on both. The number of files is the lesser part: a hundred empty modules take 4 ms on Deno and 2 on Bun, of 900 B each 6 and 4.5, and this library has 110 and 95, with 440 KB of text. Binding alone, by node:net without this library, is 3 to 4 ms on Deno; on Bun it is 0.2. As one bundle the import took 7 ms on Deno and 8 on Bun, and the ratio on Bun was 0.61 to 0.66; it is not packed so, as the probe that swaps the module and the command line that starts itself find their files by import.meta.url. Of the package the files are JavaScript, with a mark that spares Bun transpiling them, which was 3 ms";
const IDLE =
  "on 2026-11-29 (load 5 to 7) an accepted one on Deno went from 4.7 KiB more than raw to 2.6. By heap snapshots of 2 000, gone are the socket that it was taken from, with its streams, 1 KiB; the promise of its end and the table of the peer's streams, where nobody needs them; what a dial was made of; and a second copy of the peer's address. Accepted ones are iterated over here: a handler that awaits the end would hold 0.7 KiB on Deno. What is left on Deno is the fields of thirty objects: link, sink, parser and socket 0.2 KiB each, writer, queue, sender, reading, account and counters 0.8 together, clocks with their timer 0.4, the runtime's listeners 0.4, addresses 0.2. One dialled on Bun has about 0.9 KiB of node:net as well, which connects it and which Bun keeps; Bun.connect cannot be called off. Each of the parts is tested by itself, and to get below 2 KiB they would have to become one";
const SYSTEM_CALL =
  "the system call that hands bytes to the kernel. Frames are gathered in blocks, so there is one for all that was queued in a turn; nothing less remains but fewer turns";
const COLLECT =
  "garbage. Of asking: promises and answers in memory of their own; abort controllers, timers and closures of each request are gone, which was a third of all time. Of receiving: spare buffers that connections share took most new buffers away";

const PLAIN_TLS =
  "offers less than what is configured, so that it has no goal: strangers are in mid-handshake before anyone can refuse them, a FIN that anybody can forge is an end like any other, and on Deno the end of a paused socket is lost. On Bun, TLS that is laid over an accepted socket, as it must be where admission comes first, is given the ciphertext in JavaScript beside the plaintext, by which an end is told from a cut";
const EACH_WRITE =
  "the work of this library for each write, its inbox, byte budget, deadlines and promise, takes 0.85 µs over a socket that does nothing, but 10 to 14 µs over TLS, perhaps as the caches fill with 256 KiB that are sealed between two writes (2026-11-29, load 6 to 10). A clock that costs nothing made it no faster on Deno. The layer that speaks to node:tls, with nothing above it, costs what the program by hand does";
const LAID =
  "TLS is laid over a socket that is there already in both, which costs Bun a third more than one that is TLS from the start: it copies the ciphertext to JavaScript as well";
const WINDOWS =
  "ciphertext and plaintext go into memory that sockets share, where node:tls makes a buffer for each of the two and events of a stream";

/** By id of the row. */
export const REMARKS: Readonly<Record<string, string>> = {
  "decode_64_payload.push_vs_pure_ts": VIEW,
  "decode_64_payload.push_vs_naive_concat": VIEW,
  "decode_64_payload.push_vs_it_length_prefixed": VIEW,
  "decode_64_fields.copied_in_then_lend_vs_native_copied_in": SPLIT,
  "decode_64_payload.copied_in_then_lend_vs_native_copied_in": NATIVE,
  "decode_1024_fields.copied_in_then_lend_vs_native_copied_in": SPLIT,
  "decode_1024_payload.copied_in_then_lend_vs_native_copied_in": `${NATIVE}; and ${SPLIT}`,
  "decode_64k.lend_fragments_vs_memcpy": BUSY,
  "decode_1m.lend_pooled_buffer_vs_memcpy":
    "within the noise of a machine that is shared: copies of 1 MiB compete for the caches. Three runs on Deno on 2026-11-29 (load 10) had 0.74, 0.78 and 0.74: 22 µs for 17, and the 16 pushes of a frame are the rest. It is copied once, and no new pages are touched, which take 200 µs",
  "memory-server-rss-more": IDLE,
  "memory-server-heap-more": IDLE,
  "memory-client-rss-more": IDLE,
  "memory-client-heap-more": IDLE,
  "guard_64k_deflate.guard_vs_native": CHECKS,
  "guard_64k_deflate.guard_vs_fflate": CHECKS,
  "guard_64k_gzip.guard_vs_native": CRC,
  "guard_64k_gzip.guard_vs_fflate":
    `${CRC}; fflate does not check it, and takes the size from the end of the input, so it gunzips a quarter faster than it inflates. Without any CRC the ratio on a quiet machine would be 2.7`,
  ts_vs_wasm_decode_64:
    "kept all the same: within a fifth of TypeScript once a view is made, and one checked grammar, fuzzed, for every host",
  ts_vs_wasm_decode_1024: `kept all the same, as for 64 B; ${SPLIT}`,
  "bun:ts_vs_wasm_heads_16":
    "the loop of this suite has calls of other shapes in it; alone, as in the suite of the codec, the module is 2 to 3 times faster on Bun too",
  import_to_listen: ZOD,
  "deno:first_instance":
    "Deno has no SHA-256 that does not wait: the digest is begun when the codec is loaded, and whoever comes right after the import may have it found in JavaScript, 4 to 6 ms, of which the better part is compiling the loop. A module of WebAssembly for it was tried and took 3 to 5",
  "bun:first_instance":
    "compiling 84 KB is 2.1 to 2.5 ms of it in the engine, instantiating 0.4; the digest is 0.1, by Bun itself. It was 2.8 with a load of 1 and 3.2 with one of 8 (2026-11-29)",
  "flow-64b-sink": `${WORK}. ${OTHER_MACHINE}`,
  "flow-64k-sink":
    `${SINK}. On an Intel Xeon (2026-11-30) it is 0.98 on Deno and 0.75 on Bun; why Bun is slower there is not known`,
  "flow-64k-raw": SINK,
  "flow-1m-raw": STREAM,
  "ask-64b-raw":
    `${RAW_ASK}. These are figures of an AMD EPYC, where it was 0.70 and 0.81; on an Intel Xeon (2026-11-30) it is 0.51 and 0.55, as with frames of 64 B that go one way`,
  "bulk_in.node_tls": PLAIN_TLS,
  "bulk_out.node_tls": PLAIN_TLS,
  "bulk_in_client.node_tls": PLAIN_TLS,
  "bulk_out_server.node_tls": PLAIN_TLS,
  "deno:bulk_in.node_tls_by_hand": WINDOWS,
  "deno:bulk_in_client.node_tls_by_hand": WINDOWS,
  "bun:bulk_in.node_tls_by_hand": LAID,
  "bun:bulk_in_client.node_tls_by_hand": LAID,
  "bulk_out.node_tls_by_hand": EACH_WRITE,
  "bulk_out_server.node_tls_by_hand": EACH_WRITE,
  "asking.writebuffer": SYSTEM_CALL,
  "asking.write": SYSTEM_CALL,
  "asking.copypayload_frame_view_ts":
    "an answer is handed over in memory of its own; on Deno a small typed array costs 300 ns. Cutting it from a shared block would let one kept answer hold all of that block",
  "asking.garbage_collector": COLLECT,
  "asking.op_now":
    "the clock, once in a request for its deadline and once in the script that asks. One timer serves all requests now, instead of one each",
  "asking.uint8array": "views and copies of answers, in the engine",
  "asking.program": "the engine and the runtime themselves: sockets, the event loop, compiling",
  "answering.writebuffer": SYSTEM_CALL,
  "answering.write": SYSTEM_CALL,
  "answering.program": "the engine and the runtime themselves: sockets, the event loop, compiling",
  "answering.garbage_collector": COLLECT,
  "answering.get_payload_frame_view_ts": VIEW,
  "answering.uint8array": VIEW,
  "answering.remove_id_queue_ts":
    "answers mostly go out in the order of their requests, so the search begins with the oldest: a quarter of the hash table's time",
  "answering.reserve_writer_ts": "room in the block of gathered frames, within the inbox's bounds",
  "answering.reserveallowed_write_queue_ts":
    "room in the block of gathered frames; what was admitted once in a turn is not asked again",
  "sending.writebuffer": SYSTEM_CALL,
  "sending.write": SYSTEM_CALL,
  "sending.writev": `${SYSTEM_CALL}. Bodies of 64 KiB go out by reference, never copied`,
  "sending.op_now": "the clock, for the write deadline and in the script that sends",
  "sending.offerlarge_sender_ts":
    "a header of its own for each large frame, in memory that is used again: its body is not copied",
  "sending.garbage_collector": COLLECT,
  "receiving.room_assembly_ts":
    "memory for a frame that comes in several reads: at most twice what came, then its size. Spare buffers are shared and stay, where the collector took them before: of 18 thousand frames 12 thousand had found none",
  "receiving.fill_assembly_ts":
    "the one copy of a body into the buffer of its frame; fragments do without it",
  "receiving.set": "the one copy of a body into the buffer of its frame; fragments do without it",
  "receiving.garbage_collector": COLLECT,
  "receiving.program": "the engine and the runtime themselves: sockets, the event loop, compiling",
};
