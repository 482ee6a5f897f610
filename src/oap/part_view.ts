/**
 * A part of a frame that is still arriving, or has arrived in parts.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { Body } from "./body.ts";
import type { Run } from "./found.ts";
import { EMPTY, type Frame } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import type { Source } from "./source.ts";

/**
 * One part of a frame, as `fragments: true` gives them: all fields are the frame's, `len` included, and the
 * payload is what lies at `offset` of the frame's. Never empty, but for the first one.
 */
export class FramePart extends FrameView {
  readonly #source: Source;
  readonly #from: number;
  readonly #end: number;
  readonly #offset: number;
  readonly #body: Body;
  #part: Uint8Array | undefined = undefined;

  /** @internal */
  constructor(run: Run, body: Body) {
    super(body.head, 0, body.head.bytes.length + body.bytes);
    this.#source = run.source;
    this.#from = run.at;
    this.#end = run.end;
    this.#offset = run.offset;
    this.#body = body;
  }

  override get offset(): number {
    return this.#offset;
  }

  override get last(): boolean {
    return this.#offset + this.payloadBytes === this.#body.bytes;
  }

  override whole(): Uint8Array | undefined {
    if (this.last && this.#offset === 0) return this.payload;
    this.#body.collect(this.#offset === 0 ? this.payload : EMPTY);
    return undefined;
  }

  override get bytes(): Uint8Array {
    return this.#source.bytes;
  }

  override get payloadAt(): number {
    return this.#from;
  }

  override get payloadBytes(): number {
    return this.#end - this.#from;
  }

  override get payload(): Uint8Array {
    return this.#part ??= this.#source.slice(this.#from, this.payloadBytes);
  }

  override giveBack(): void {
    super.giveBack();
    this.#part = undefined;
  }

  /** A part is not a frame. */
  override toFrame(): Frame {
    throw new TransportError(
      "misuse",
      "Cannot make a frame of one part of it: use copyPayload(), or whole() to wait for all of it",
      { op: "read" },
    );
  }
}
