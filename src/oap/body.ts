/**
 * A frame whose body is handed on as it arrives.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { EMPTY, HEADER_BYTES } from "./frame.ts";
import type { Source } from "./source.ts";

/** Headers in one piece of memory. */
const COPIES = 16;

/** What is known of the frame, and how much of it has come. */
export class Body {
  /** Its header and capability, in memory of their own. */
  readonly head: Source;
  /** Bytes of its payload. */
  readonly bytes: number;
  /** Bytes of the payload that came. */
  have = 0;
  /** Whether it has been decided where it goes. */
  judged = false;
  /** Nobody wants it. */
  dropped = false;
  readonly #collect: (body: Body, part: Uint8Array) => boolean;

  /**
   * @param head Header and capability.
   * @param len Bytes of the frame.
   * @param collect Puts the frame together from here on; `false` when that is too late.
   */
  constructor(head: Source, len: number, collect: (body: Body, part: Uint8Array) => boolean) {
    this.head = head;
    this.bytes = len - head.bytes.length;
    this.#collect = collect;
  }

  /** Bytes of the payload that are still to come. */
  get rest(): number {
    return this.bytes - this.have;
  }

  /** Asks for the frame in one piece; `part` is all of its payload that has come. */
  collect(part: Uint8Array): void {
    if (this.#collect(this, part)) return;
    throw new TransportError(
      "misuse",
      `Cannot put a frame of ${
        HEADER_BYTES + this.bytes
      } bytes together any more: call whole() on its first part, before more is read`,
      { op: "read" },
    );
  }
}

/**
 * Copies of headers, several in one piece of memory: on Deno a small array of its own costs ten times as much
 * as a view. One that is kept keeps that piece.
 */
export class HeadCopies {
  #memory: Uint8Array = EMPTY;
  #end = 0;

  /** A copy in memory that nobody else writes to. */
  copy(head: Uint8Array): Uint8Array {
    const n = head.length;
    if (n > HEADER_BYTES) return head.slice(); // with a capability
    if (this.#end + n > this.#memory.length) {
      this.#memory = new Uint8Array(COPIES * HEADER_BYTES);
      this.#end = 0;
    }
    const copy = new Uint8Array(this.#memory.buffer, this.#end, n);
    copy.set(head);
    this.#end += n;
    return copy;
  }
}
