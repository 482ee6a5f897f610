/**
 * The peer's requests that this end has not answered.
 *
 * @module
 */

import { FLAGS } from "./frame.ts";
import { IdTable } from "./id_table.ts";

const UNANSWERED = 1;
/** Its stream has begun and not ended. */
const STREAMING = 2;
/** It was refused; the rest of its stream is dropped. */
const REFUSED = 4;

/** Entries are kept for unanswered requests, and within this bound for answered ones that still stream. */
const ENTRIES = 256;

/** What to do with a request's frame. */
export type Verdict = "deliver" | "refuse" | "drop";

/** Counts the peer's unanswered requests and refuses those over the limit, so that reading can go on. */
export class InboundRequests {
  readonly #limit: number;
  readonly #table: IdTable<number> = new IdTable();
  #unanswered = 0;

  /** @param limit Most unanswered requests. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Requests that wait for our answer. */
  get unanswered(): number {
    return this.#unanswered;
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
    const end = (flags & FLAGS.END) !== 0;
    const streaming = (flags & FLAGS.START) !== 0 && !end ? STREAMING : 0;
    const known = this.#table.size === 0 ? -1 : this.#table.find(view, at);
    if (known >= 0) {
      const state = this.#table.get(known);
      if (end) this.#update(known, state & ~STREAMING & (state & REFUSED ? 0 : ~0));
      else if (streaming !== 0) this.#update(known, state | STREAMING);
      return (state & REFUSED) !== 0 ? "drop" : "deliver";
    }
    if (end && (flags & FLAGS.START) === 0) return "deliver"; // the rest of a stream that is answered already
    if (!this.full) {
      this.#table.add(view, at, UNANSWERED | (this.#table.size < ENTRIES ? streaming : 0));
      this.#unanswered++;
      return "deliver";
    }
    if (final && streaming !== 0 && this.#table.size < ENTRIES) {
      this.#table.add(view, at, REFUSED | STREAMING);
    }
    return "refuse";
  }

  /** A frame with RESP goes out; its header is at `at`. */
  answered(view: DataView, at: number): void {
    if (this.#unanswered === 0) return;
    const known = this.#table.find(view, at);
    if (known < 0 || (this.#table.get(known) & UNANSWERED) === 0) return;
    this.#unanswered--;
    this.#update(known, this.#table.get(known) & ~UNANSWERED);
  }

  #update(i: number, state: number): void {
    if (state === 0) this.#table.removeAt(i);
    else this.#table.set(i, state);
  }
}
