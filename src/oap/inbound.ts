/**
 * The peer's requests that this end has not answered.
 *
 * @module
 */

import { FLAGS } from "./frame.ts";
import { IdQueue, type IdQueueMemory } from "./id_queue.ts";
import { type IdMemory, IdTable } from "./id_table.ts";

/** Its stream has begun and not ended. */
const STREAMING = 1;
/** Its stream was refused; the rest of it is dropped. */
const REFUSED = 2;
/** Streams that are known at a time; of more only the first frame is looked at. */
const STREAMS = 256;

/** What to do with a request's frame. */
export type Verdict = "deliver" | "refuse" | "drop";

/** Counts the peer's unanswered requests and refuses those over the limit, so that reading can go on. */
export class InboundRequests {
  #limit: number;
  /** An id may be in it several times. */
  readonly #unanswered: IdQueue;
  /** Streams that are not at their end; made with the first. */
  #streams: IdTable<number> | undefined = undefined;
  readonly #tables: IdMemory;
  #stopped = false;

  /** @param limit Most unanswered requests; at most 64. @param memory Where memory for ids comes from. */
  constructor(
    limit: number,
    memory: { readonly queues: IdQueueMemory; readonly tables: IdMemory },
  ) {
    this.#limit = limit;
    this.#unanswered = new IdQueue(memory.queues);
    this.#tables = memory.tables;
  }

  /** Requests that wait for our answer. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** The code that refuses a request: there are too many, or this end drains. */
  get refusal(): 429 | 503 {
    return this.#stopped ? 503 : 429;
  }

  /** Lets no request in from now on; streams of those that are in go on. */
  stop(): void {
    this.#stopped = true;
    this.#limit = 0;
  }

  /** Whether one more would be refused. */
  get full(): boolean {
    return this.#unanswered.size >= this.#limit;
  }

  /**
   * Judges a frame with REQ whose header is at `at`.
   *
   * @param final `false`: a refusal is only told, because an answer may still make room for it.
   */
  judge(view: DataView, at: number, flags: number, final: boolean): Verdict {
    const streams = this.#streams;
    const start = (flags & FLAGS.START) !== 0;
    const end = (flags & FLAGS.END) !== 0;
    const known = streams === undefined || streams.size === 0 ? -1 : streams.find(view, at);
    const state = known < 0 ? 0 : streams!.get(known);
    if (state === REFUSED) {
      if (end) streams!.removeAt(known);
      return "drop";
    }
    if (!start && state === STREAMING) {
      if (end) streams!.removeAt(known);
      return "deliver";
    }
    if (end && !start) return "deliver"; // the rest of a stream that is answered already
    // A request of its own, be its id in use or not: reusing one does not get round the limit.
    const more = start && !end && (known >= 0 || (streams?.size ?? 0) < STREAMS);
    if (!this.full) {
      this.#unanswered.add(view, at);
      if (more) this.#put(view, at, known, STREAMING);
      else if (known >= 0) streams!.removeAt(known);
      return "deliver";
    }
    if (final && more) this.#put(view, at, known, REFUSED);
    return "refuse";
  }

  /** A frame with RESP goes out; its header is at `at`. */
  answered(view: DataView, at: number): void {
    if (this.#unanswered.size > 0) this.#unanswered.remove(view, at);
  }

  #put(view: DataView, at: number, known: number, state: number): void {
    this.#streams ??= new IdTable(this.#tables);
    if (known < 0) this.#streams.add(view, at, state);
    else this.#streams.set(known, state);
  }
}
