/**
 * Goes through found frames, and hands on those that are for the application.
 *
 * @module
 */

import type { CodecError } from "./codec_error.ts";
import { Found, Run } from "./found.ts";
import { Source } from "./source.ts";

/** Whether the frame at `at` is handed on; a fault ends it. */
type Judge = (
  sorting: Sorting,
  source: Source,
  at: number,
  len: number,
) => boolean | CodecError;

/** One pass over the frames of a read. */
export class Sorting {
  readonly #found: Found;
  readonly #deliver: (found: Found) => void;
  readonly #prompt: boolean;
  #read: Source | undefined;
  #out: Found = new Found();
  /** The frames to hand on that have been looked at and are not in `#out` yet. */
  #source: Source | undefined = undefined;
  #from = 0;
  #end = 0;
  #kept = 0;

  /** @param found The frames. @param deliver Takes some. @param prompt Whether it runs the application at once. */
  constructor(found: Found, deliver: (found: Found) => void, prompt: boolean) {
    this.#found = found;
    this.#deliver = deliver;
    this.#prompt = prompt;
    this.#read = found.lent;
  }

  /** Whether handing on what is there may change what happens to the next frame. */
  get mayFlush(): boolean {
    return this.#prompt && (this.#kept > 0 || this.#out.items > 0);
  }

  /** Looks at every frame. */
  run(judge: Judge): CodecError | undefined {
    for (const run of this.#found.runs) {
      const fault = run.body !== undefined || run.again
        ? this.#one(run, judge)
        : this.#all(run, judge);
      if (fault !== undefined) return fault;
    }
    this.#close();
    if (this.#out.items > 0) this.#deliver(this.#out);
    return undefined;
  }

  /**
   * Hands on what is there.
   *
   * @returns The read's memory from here on: what was handed on may have been a loan, which has ended.
   */
  flush(): Source {
    this.#close();
    const read = this.#read as Source;
    const { bytes } = read;
    const out = this.#out;
    this.#out = new Found();
    this.#deliver(out);
    if (!read.live) this.#read = new Source(bytes, false);
    if (this.#source === read) this.#source = this.#read;
    return this.#read as Source;
  }

  #all(run: Run, judge: Judge): CodecError | undefined {
    this.#source = this.#now(run);
    this.#from = this.#end = run.at;
    for (let n = 0; n < run.frames; n++) {
      const at = this.#end;
      const len = this.#source.view.getUint32(at);
      const verdict = judge(this, this.#source, at, len);
      if (verdict === true) this.#kept++;
      else {
        this.#close();
        if (verdict !== false) return this.#fail(verdict);
        this.#from = at + len;
      }
      this.#end = at + len;
    }
    this.#close();
    return undefined;
  }

  /** A part of a frame, which is judged by its first one, or a frame of which the application knows a part. */
  #one(run: Run, judge: Judge): CodecError | undefined {
    const { at, end, body, offset, again } = run;
    if (body !== undefined && !body.judged) {
      body.judged = true;
      const verdict = judge(this, body.head, 0, body.head.bytes.length + body.bytes);
      if (typeof verdict !== "boolean") return this.#fail(verdict);
      body.dropped = !verdict;
    }
    if (body?.dropped) return undefined;
    this.#out.push(new Run(this.#now(run), at, end, 1, body, offset, again));
    return undefined;
  }

  #now({ source }: Run): Source {
    return source.own ? source : this.#read as Source;
  }

  /** Puts what is kept among what is handed on. */
  #close(): void {
    if (this.#kept === 0) return;
    const source = this.#source as Source;
    this.#out.add(source, this.#from, this.#end, this.#kept);
    this.#kept = 0;
    this.#from = this.#end;
  }

  #fail(fault: CodecError): CodecError {
    if (this.#out.items > 0) this.#deliver(this.#out);
    return fault;
  }
}
