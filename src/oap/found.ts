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
 * The same frames in memory of their own.
 *
 * @param runs The frames.
 * @param all `false` copies the read only, in one piece, and keeps what the codec allocated itself.
 */
export function copyRuns(runs: readonly Run[], all: boolean): Run[] {
  const spans = new Map<Source, { first: number; end: number; copy: Source }>();
  for (const { source, at, end } of runs) {
    if (source.own && !all) continue;
    const span = spans.get(source);
    if (span === undefined) spans.set(source, { first: at, end, copy: source });
    else span.end = end;
  }
  for (const [source, span] of spans) {
    span.copy = new Source(source.bytes.slice(span.first, span.end), true);
  }
  return runs.map((run) => {
    const span = spans.get(run.source);
    if (span === undefined) return run;
    const { at, end, frames, body, offset, again } = run;
    return new Run(span.copy, at - span.first, end - span.first, frames, body, offset, again);
  });
}
