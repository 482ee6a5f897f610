/**
 * The peer's requests that this end has not answered.
 *
 * @module
 */

import { FLAGS } from "./frame.ts";
import { type IdMemory, IdTable } from "./id_table.ts";

/** Its stream has begun and not ended. */
const STREAMING = 1;
/** Its stream was refused; the rest of it is dropped. */
const REFUSED = 2;
/** One request that is not answered; an id may have several, and the table's value is a multiple of it. */
const UNANSWERED = 4;

/** Entries are kept for unanswered requests, and within this bound for answered ones that still stream. */
const ENTRIES = 256;

/** What to do with a request's frame. */
export type Verdict = "deliver" | "refuse" | "drop";

/** Counts the peer's unanswered requests and refuses those over the limit, so that reading can go on. */
export class InboundRequests {
  #limit: number;
  readonly #table: IdTable<number>;
  #unanswered = 0;
  #stopped = false;

  /** @param limit Most unanswered requests. @param memory Where the table's memory comes from. */
  constructor(limit: number, memory: IdMemory) {
    this.#limit = limit;
    this.#table = new IdTable(memory);
  }

  /** Requests that wait for our answer. */
  get unanswered(): number {
    return this.#unanswered;
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
    return this.#unanswered >= this.#limit;
  }

  /**
   * Judges a frame with REQ whose header is at `at`.
   *
   * @param final `false`: a refusal is only told, because an answer may still make room for it.
   */
  judge(view: DataView, at: number, flags: number, final: boolean): Verdict {
    const start = (flags & FLAGS.START) !== 0;
    const end = (flags & FLAGS.END) !== 0;
    const known = this.#table.size === 0 ? -1 : this.#table.find(view, at);
    const state = known < 0 ? 0 : this.#table.get(known);
    if ((state & REFUSED) !== 0) {
      if (end) this.#update(known, state & ~(STREAMING | REFUSED));
      return "drop";
    }
    if (!start && (state & STREAMING) !== 0) {
      if (end) this.#update(known, state & ~STREAMING);
      return "deliver";
    }
    if (end && !start) return "deliver"; // the rest of a stream that is answered already
    // A request of its own, be its id in use or not: reusing one does not get round the limit.
    const streaming = start && !end && this.#table.size < ENTRIES ? STREAMING : 0;
    if (!this.full) {
      this.#unanswered++;
      this.#put(view, at, known, (state & ~STREAMING | streaming) + UNANSWERED);
      return "deliver";
    }
    if (final && streaming !== 0) this.#put(view, at, known, state | REFUSED | STREAMING);
    return "refuse";
  }

  /** A frame with RESP goes out; its header is at `at`. */
  answered(view: DataView, at: number): void {
    if (this.#unanswered === 0) return;
    const known = this.#table.find(view, at);
    if (known < 0 || this.#table.get(known) < UNANSWERED) return;
    this.#unanswered--;
    this.#update(known, this.#table.get(known) - UNANSWERED);
  }

  #put(view: DataView, at: number, known: number, state: number): void {
    if (known < 0) this.#table.add(view, at, state);
    else this.#table.set(known, state);
  }

  #update(i: number, state: number): void {
    if (state === 0) this.#table.removeAt(i);
    else this.#table.set(i, state);
  }
}
