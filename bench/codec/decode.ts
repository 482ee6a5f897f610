/**
 * Decoding against peers.
 *
 * @module
 */

import { type BorrowedBatch, Decoder, type FrameView } from "../../src/oap/mod.ts";
import { type Case, type Effort, measure, rate, type Timing } from "./paired.ts";
import { ConcatDecoder } from "./peers/concat.ts";
import type { Optional } from "./peers/optional.ts";
import { PureDecoder, type PureFrame } from "./peers/pure_ts.ts";
import { against, type Ratio, type Table } from "./report.ts";
import { READ_BYTES, type Wire, wire, withoutOwnLength } from "./wire.ts";

/** What a consumer has seen; kept, so that no view is optimised away. */
interface Seen {
  sum: number;
  view: Uint8Array;
}

// One closure and one loop for each case: shared ones would see two classes of frames, and both would pay.
// `| 0` keeps the sum a small integer: a larger one would be boxed for each frame.
function ours(reads: readonly Uint8Array[], look: Look, lent: boolean): () => Seen {
  const decoder = new Decoder();
  const seen: Seen = { sum: 0, view: reads[0] as Uint8Array };
  const onFrame: (frame: FrameView) => void = look === "fields"
    ? (f) => void (seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + f.payloadBytes) | 0)
    : (f) => {
      const view = seen.view = f.payload;
      seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + view.length) | 0;
    };
  const onBatch = (batch: BorrowedBatch): void => batch.forEach(onFrame);
  return () => {
    for (const read of reads) {
      if (lent) decoder.lend(read, onBatch);
      else decoder.push(read).forEach(onFrame);
    }
    return seen;
  };
}

function pure(reads: readonly Uint8Array[], look: Look): () => Seen {
  const decoder = new PureDecoder();
  const seen: Seen = { sum: 0, view: reads[0] as Uint8Array };
  const onFrame: (frame: PureFrame) => void = look === "fields"
    ? (f) => void (seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + f.payloadBytes) | 0)
    : (f) => {
      const view = seen.view = f.payload;
      seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + view.length) | 0;
    };
  return () => {
    for (const read of reads) decoder.push(read, onFrame);
    return seen;
  };
}

function concat(reads: readonly Uint8Array[]): () => Seen {
  const decoder = new ConcatDecoder();
  const seen: Seen = { sum: 0, view: reads[0] as Uint8Array };
  return () => {
    for (const read of reads) {
      for (const f of decoder.push(read)) {
        const view = seen.view = f.payload;
        seen.sum = (seen.sum + f.flags + f.code + f.appProtoId + view.length) | 0;
      }
    }
    return seen;
  };
}

/** A receive window that every read is copied into first, as a kernel does. */
function received(
  reads: readonly Uint8Array[],
  work: (window: Uint8Array[]) => () => unknown,
): () => void {
  const window = new Uint8Array(READ_BYTES);
  const filled = [window];
  const run = work(filled);
  return () => {
    for (const read of reads) {
      window.set(read);
      filled[0] = read.length === READ_BYTES ? window : window.subarray(0, read.length);
      run();
    }
  };
}

/** What a consumer does with each frame. */
export type Look = "fields" | "payload";

/** Small frames against every peer. For a process of its own: consumers share what engines learn of a loop. */
export function small(size: number, look: Look, effort: Effort, optional: Optional): Table {
  const stream = wire(size);
  const { reads, frames } = stream;
  const cases: Case[] = [
    { name: "push", run: ours(reads, look, false) },
    { name: "lend", run: ours(reads, look, true) },
    { name: "copied in, then lend", run: received(reads, (r) => ours(r, look, true)) },
    { name: "pure TS", run: pure(reads, look) },
    { name: "copied in, then pure TS", run: received(reads, (r) => pure(r, look)) },
    { name: "naive concat", run: concat(reads) },
  ];
  const { lengthPrefixed } = optional;
  if (lengthPrefixed !== undefined) {
    const other = withoutOwnLength(stream);
    cases.push({ name: "it-length-prefixed", run: () => lengthPrefixed(other) });
  }
  const timings = measure(cases, frames, effort);
  const by = (name: string): Timing => timings.find((one) => one.name === name) as Timing;
  const goals = size === 64 && look === "payload";
  const ratios: Ratio[] = [
    against(by("push"), by("pure TS"), goals ? 0.8 : null),
    against(by("lend"), by("pure TS")),
    against(by("push"), by("naive concat"), goals ? 3 : null),
  ];
  if (lengthPrefixed !== undefined) {
    ratios.push(against(by("push"), by("it-length-prefixed"), goals ? 10 : null));
  }
  const native = optional.native?.[size];
  if (native !== undefined) {
    const view = optional.runtime === "bun" ? 0.35 : 0.5;
    const filled = by("copied in, then lend");
    ratios.push(
      {
        ours: filled.name,
        against: "native, copied in",
        peer: native.filledNs,
        ratio: native.filledNs / filled.ns,
        goal: size === 0 ? null : look === "fields" ? 1 : view,
      },
      {
        ours: "lend",
        against: "native, bytes in place",
        peer: native.ns,
        ratio: native.ns / by("lend").ns,
        goal: null,
      },
    );
    timings.push(
      { name: "native, copied in", ns: native.filledNs, rounds: [] },
      { name: "native, bytes in place", ns: native.ns, rounds: [] },
    );
  }
  return {
    id: `decode_${size}_${look}`,
    title: `decode, ${size} B, ${look}`,
    unit: "ns/frame",
    timings,
    ratios,
  };
}

/** Large bodies against a copy of the same bytes. */
export function large(effort: Effort): Table[] {
  const fragments = wire(65_536, 4 << 20);
  const target = new Uint8Array(READ_BYTES);
  const copy = (reads: readonly Uint8Array[]) => (): void => {
    for (const read of reads) target.set(read);
  };
  const parts = new Decoder({ fragments: true });
  let sum = 0;
  const onBatch = (batch: BorrowedBatch): void =>
    batch.forEach((part) => void (sum += part.payload.length + part.flags));
  const a = measure(
    [
      {
        name: "lend, fragments",
        run: () => (fragments.reads.forEach((r) => parts.lend(r, onBatch)), sum),
      },
      {
        name: "push, fragments",
        run:
          () => (fragments.reads.forEach((r) =>
            parts.push(r).forEach((part) => void (sum += part.payload.length))
          ),
            sum),
      },
      { name: "memcpy", run: copy(fragments.reads) },
    ],
    fragments.frames,
    effort,
  );
  const whole = wire(1_048_538, 4 << 20);
  const pooled = new Decoder();
  const fresh = new Decoder();
  const frame = new Uint8Array(1_048_576);
  const b = measure(
    [
      {
        name: "lend, pooled buffer",
        run: () => (whole.reads.forEach((r) => pooled.lend(r, onBatch)), sum),
      },
      {
        name: "push, fresh buffer",
        run:
          () => (whole.reads.forEach((r) =>
            fresh.push(r).forEach((f) => void (sum += f.payload.length))
          ),
            sum),
      },
      {
        name: "memcpy",
        run: () => {
          for (let i = 0; i < whole.reads.length; i++) {
            frame.set(whole.reads[i] as Uint8Array, (i * READ_BYTES) % 1_048_576);
          }
        },
      },
    ],
    whole.frames,
    effort,
  );
  return [
    {
      id: "decode_64k",
      title: "decode, 64 KiB bodies",
      unit: "ns/frame",
      timings: a,
      ratios: [against(a[0] as Timing, a[2] as Timing, 1)],
    },
    {
      id: "decode_1m",
      title: "decode, 1 MiB frames",
      unit: "ns/frame",
      timings: b,
      ratios: [against(b[0] as Timing, b[2] as Timing, 0.7)],
    },
  ];
}

/** The smallest frames in one buffer: time grows with their number, and no faster. */
export function linear(effort: Effort): Table {
  const many: Wire = wire(0, 20_000 * 38);
  const few = many.bytes.subarray(0, 2_000 * 38);
  const look = (bytes: Uint8Array) => (): number => {
    let sum = 0;
    new Decoder().push(bytes).forEach((frame) => void (sum += frame.len));
    return sum;
  };
  const timings = measure(
    [
      { name: "20 000 in one buffer", run: look(many.bytes) },
      { name: "2 000 in one buffer", run: look(few) },
    ],
    1,
    effort,
  );
  const [one, tenth] = timings as [Timing, Timing];
  return {
    id: "decode_linear",
    title: "decode, smallest frames",
    unit: "ns/buffer",
    timings,
    ratios: [{
      ours: one.name,
      against: "12 x the time of 2 000",
      peer: 12 * tenth.ns,
      ratio: 12 * rate(one, tenth),
      goal: 1,
    }],
  };
}
