/**
 * What the parser has found in one read.
 *
 * @module
 */

import type { Body } from "./body.ts";
import { FLAGS } from "./frame.ts";
import { Source } from "./source.ts";

/**
 * Frames that lie one behind the other in one piece of memory, or a part of one frame's payload. Where each
 * frame of a run starts is not written down: it starts where the one before ends, and its length is in its
 * header, which has been checked.
 */
export class Run {
  /** The memory. */
  readonly source: Source;
  /** Offset of the first byte. */
  readonly at: number;
  /** Offset after the last byte. */
  readonly end: number;
  /** Number of frames; 1 for a part of one. */
  readonly frames: number;
  /** The frame that this is a part of, where it is one. */
  readonly body: Body | undefined;
  /** Where a part lies in its frame's payload. */
  readonly offset: number;
  /** Whether the application has seen a part of this frame, and then asked for all of it. */
  readonly again: boolean;

  /** See the fields. */
  constructor(
    source: Source,
    at: number,
    end: number,
    frames: number,
    body: Body | undefined,
    offset: number,
    again: boolean,
  ) {
    this.source = source;
    this.at = at;
    this.end = end;
    this.frames = frames;
    this.body = body;
    this.offset = offset;
    this.again = again;
  }
}

/** Runs in their order, and what kinds of frames are in them. */
export class Found {
  /** The frames. */
  readonly runs: Run[] = [];
  /** The memory that is not the codec's own: that of the read itself. */
  lent: Source | undefined = undefined;
  /** Frames and parts of frames in `runs`. */
  items = 0;
  /** Frames whose last byte is here. */
  completed = 0;
  /** Frames whose header is here. */
  frames = 0;
  /** Bytes of these. */
  bytes = 0;
  /** Bytes of their capabilities. */
  capabilityBytes = 0;
  /** At least all their flags. */
  flags = 0;
  /** How many are HELLO; see `frameLabel`. */
  hello = 0;
  /** How many are ERROR. */
  error = 0;
  /** How many are START. */
  start = 0;
  /** How many are END. */
  end = 0;

  /** Adds whole frames that lie in `at` to `end`. */
  add(source: Source, at: number, end: number, frames: number, again: boolean = false): void {
    if (frames === 0) return;
    this.items += frames;
    this.completed += frames;
    const { runs } = this;
    const last = runs.length > 0 ? runs[runs.length - 1] as Run : undefined;
    if (
      last === undefined || last.source !== source || last.end !== at || last.body !== undefined
    ) {
      runs.push(new Run(source, at, end, frames, undefined, 0, again));
    } else {
      const all = last.frames + frames;
      runs[runs.length - 1] = new Run(source, last.at, end, all, undefined, 0, again);
    }
  }

  /** Adds a part of a frame, or a frame that does not join others. */
  push(run: Run): void {
    this.runs.push(run);
    this.items += run.frames;
  }

  /** Counts the frame whose header is at `at`, or with -1 takes it back. */
  note(view: DataView, at: number, n: 1 | -1): void {
    const flags = view.getUint8(at + 7);
    this.flags |= flags;
    this.frames += n;
    this.bytes += n * view.getUint32(at);
    if ((flags & FLAGS.START) !== 0) this.capabilityBytes += n * view.getUint16(at + 28);
    if (view.getUint16(at + 10) === 0) this.hello += n;
    else if (view.getUint16(at + 8) >= 400) this.error += n;
    else if ((flags & FLAGS.START) !== 0) this.start += n;
    else if ((flags & FLAGS.END) !== 0) this.end += n;
  }
}

/**
 * The same frames in memory of their own, and nothing else in it: what lay between them is left out.
 *
 * @param runs The frames.
 * @param all `false` copies the read only, into one piece, and keeps what the codec allocated itself.
 */
export function copyRuns(runs: readonly Run[], all: boolean): Run[] {
  const sizes = new Map<Source, number>();
  for (const { source, at, end } of runs) {
    if (all || !source.own) sizes.set(source, (sizes.get(source) ?? 0) + end - at);
  }
  const copies = new Map<Source, { readonly source: Source; filled: number }>();
  const copied: Run[] = [];
  for (const run of runs) {
    const { source, at, end, frames, body, offset, again } = run;
    const size = sizes.get(source);
    if (size === undefined) {
      copied.push(run);
      continue;
    }
    let copy = copies.get(source);
    if (copy === undefined) {
      copy = { source: new Source(new Uint8Array(size), true), filled: 0 };
      copies.set(source, copy);
    }
    const from = copy.filled;
    copy.source.bytes.set(source.slice(at, end - at), from);
    copy.filled += end - at;
    const last = copied.at(-1);
    if (last?.source === copy.source && joins(last) && joins(run)) {
      copied.pop();
      const all = last.frames + frames;
      copied.push(new Run(copy.source, last.at, copy.filled, all, undefined, 0, false));
    } else copied.push(new Run(copy.source, from, copy.filled, frames, body, offset, again));
  }
  return copied;
}

/** Whether a run may go on in the next one: not a part of a frame, nor a frame that is seen again. */
function joins({ body, again }: Run): boolean {
  return body === undefined && !again;
}

/** Whether frames take up at least half of the read that they keep in memory. */
export function fillRead(runs: readonly Run[]): boolean {
  let bytes = 0;
  let memory = 0;
  for (const { source, at, end } of runs) {
    if (source.own) continue;
    bytes += end - at;
    memory = source.buffer.byteLength;
  }
  return 2 * bytes >= memory;
}
