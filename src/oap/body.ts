/**
 * A frame whose body is handed on as it arrives.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { HEADER_BYTES } from "./frame.ts";
import type { Source } from "./source.ts";

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
