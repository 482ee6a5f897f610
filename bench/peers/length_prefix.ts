/**
 * Messages behind a length of 32 bits, as one would write them by hand for speed: nothing is checked, and
 * nothing bounded.
 *
 * @module
 */

import { Counting, type Job, LAST, message, MORE, NUMBER_AT, type Tally } from "./contract.ts";

/** Bytes of the length. */
export const PREFIX = 4;

/** Goes through large messages in place, piece by piece. `onLast` is called behind the last one. */
export function pieces(counting: Counting, onLast: () => void): (chunk: Uint8Array) => void {
  let left = 0;
  let length = 0;
  let have = 0;
  return (chunk) => {
    const end = chunk.length;
    for (let at = 0; at < end;) {
      if (left === 0) {
        while (have < PREFIX && at < end) {
          length = length << 8 | chunk[at++]!;
          have++;
        }
        if (have < PREFIX) return;
        left = length;
        length = have = 0;
        continue;
      }
      const n = Math.min(left, end - at);
      at += n;
      left -= n;
      counting.bytes += n;
      if (left > 0) continue;
      const last = chunk[at - 1]!;
      counting.messages++;
      counting.sum += last;
      if (last === LAST) onLast();
    }
  };
}

const NONE = new Uint8Array(0);

/** Takes a message: it is valid until the call returns. */
export type Take = (chunk: Uint8Array, view: DataView, at: number, bytes: number) => void;

/** Goes through small messages in place; one that is split over two chunks is put together. */
export function small(take: Take): (chunk: Uint8Array) => void {
  // Made when a message is split: an idle connection holds nothing.
  let carry = NONE;
  let carryView = new DataView(NONE.buffer);
  let kept = 0;
  return (chunk) => {
    const { buffer, byteOffset, length } = chunk;
    const view = new DataView(buffer, byteOffset, length);
    let at = 0;
    while (kept > 0 && at < length) {
      const want = kept < PREFIX ? PREFIX - kept : PREFIX + carryView.getUint32(0) - kept;
      const n = Math.min(want, length - at);
      carry.set(chunk.subarray(at, at + n), kept);
      kept += n;
      at += n;
      if (kept < PREFIX || kept < PREFIX + carryView.getUint32(0)) continue;
      take(carry, carryView, PREFIX, kept - PREFIX);
      kept = 0;
    }
    while (at + PREFIX <= length) {
      const n = view.getUint32(at);
      if (at + PREFIX + n > length) break;
      take(chunk, view, at + PREFIX, n);
      at += PREFIX + n;
    }
    if (at < length) {
      if (carry === NONE) {
        carry = new Uint8Array(131_072);
        carryView = new DataView(carry.buffer);
      }
      carry.set(chunk.subarray(at), 0);
      kept = length - at;
    }
  };
}

/** Memory of equal size, for all that write at the moment. */
class Buffers {
  readonly #size: number;
  readonly #free: Uint8Array[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.#size);
  }

  give(bytes: Uint8Array): void {
    this.#free.push(bytes);
  }
}

/** Makes places to write that share their memory. */
export function outs(size: number): () => Out {
  const buffers = new Buffers(size);
  return () => new Out(buffers);
}

/** Writes messages one behind the other, into memory that is used again. */
export class Out {
  readonly #buffers: Buffers;
  #bytes: Uint8Array = NONE;
  #view: DataView | undefined;
  #end = 0;

  /** @param buffers Memory for all messages between two calls of {@linkcode Out.take}. */
  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  /** Bytes written. */
  get length(): number {
    return this.#end;
  }

  /** Adds a message. */
  add(message: Uint8Array): void {
    if (this.#view === undefined) {
      this.#bytes = this.#buffers.take();
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#view.setUint32(this.#end, message.length);
    this.#bytes.set(message, this.#end + PREFIX);
    this.#end += PREFIX + message.length;
  }

  /** What was written; what follows is written elsewhere, until {@linkcode Out.give}. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#end);
    this.#bytes = NONE;
    this.#view = undefined;
    this.#end = 0;
    return taken;
  }

  /** Takes memory back. */
  give(taken: Uint8Array): void {
    this.#buffers.give(new Uint8Array(taken.buffer));
  }
}

/** A message of a flow behind its length, and the last one. */
export function prefixedMessages({ bytes }: Job): { more: Uint8Array; last: Uint8Array } {
  const build = (end: number): Uint8Array => {
    const out = outs(PREFIX + bytes)();
    out.add(message(bytes, end));
    return out.take();
  };
  return { more: build(MORE), last: build(LAST) };
}

/** Requests with running numbers, and the answers to them. */
export class Asking {
  /** Where requests are put. */
  readonly out: Out;
  /** Takes answers, and puts a request into `out` for each. */
  readonly take: (chunk: Uint8Array) => void;
  readonly #counting: Counting = new Counting();
  readonly #inflight: number;
  readonly #one: Uint8Array;
  readonly #view: DataView;
  #next = 0;
  #end = 0;
  #left = 0;
  #done: (answers: Tally) => void = () => {};

  /** @param job The work. @param out Where requests are put. */
  constructor({ bytes, inflight }: Job, out: Out) {
    const counting = this.#counting;
    this.#inflight = inflight;
    this.out = out;
    this.#one = message(bytes, MORE);
    this.#view = new DataView(this.#one.buffer);
    this.take = small((_chunk, view, at, n) => {
      counting.messages++;
      counting.bytes += n;
      counting.sum += view.getUint32(at + NUMBER_AT);
      this.#add();
      if (--this.#left === 0) this.#done(counting.take());
    });
  }

  /** Puts the first requests into `out`, with these numbers; resolves with the last answer. */
  start(from: number, to: number): Promise<Tally> {
    this.#next = from;
    this.#end = to;
    this.#left = to - from;
    if (to === from) return Promise.resolve(this.#counting.take());
    for (let i = 0; i < this.#inflight; i++) this.#add();
    return new Promise((resolve) => this.#done = resolve);
  }

  #add(): void {
    if (this.#next >= this.#end) return;
    this.#view.setUint32(NUMBER_AT, this.#next++);
    this.out.add(this.#one);
  }
}

/** Most bytes that one end of a connection writes at a time. */
export function mostBytes({ bytes, inflight }: Job): number {
  return 2 * inflight * (PREFIX + bytes);
}

/** Answers requests into `out`. */
export function answering(counting: Counting, out: Out): (chunk: Uint8Array) => void {
  return small((chunk, view, at, n) => {
    counting.messages++;
    counting.bytes += n;
    counting.sum += view.getUint32(at + NUMBER_AT);
    out.add(new Uint8Array(chunk.buffer, chunk.byteOffset + at, n));
  });
}
