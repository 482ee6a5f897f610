/**
 * Which frames may follow which within a stream; wire §5, L1.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { FLAGS, type Frame } from "./frame.ts";

/**
 * What a frame did to its stream: opened or continued it (`open`), ended it, was a message by itself (`done`),
 * broke the rules (`fault`), or would have been the 65th open stream (`limit`).
 */
export type StreamVerdict = "open" | "ended" | "done" | "fault" | "limit";

/** Which way a stream goes. */
export type Direction = "in" | "out";

/** Ended ids that are remembered; the oldest is forgotten first. */
const ENDED_IDS = 1024;

/**
 * Follows the streams of one connection. The wire has no sequence numbers, so this is what tells a replayed
 * END or a second START from a legal frame. It is opt-in, and holds at most 64 open streams and 1 024 ended ids.
 *
 * @example
 * ```ts
 * import { FLAGS, StreamTracker } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const tracker = new StreamTracker();
 * const head = { appProtoId: 7, tenantId: 0n, corrId: 1n };
 * assert.equal(tracker.track({ ...head, flags: FLAGS.REQ | FLAGS.START }, "in"), "open");
 * assert.equal(tracker.track({ ...head, flags: FLAGS.REQ | FLAGS.END }, "in"), "ended");
 * assert.equal(tracker.track({ ...head, flags: FLAGS.REQ | FLAGS.END }, "in"), "fault");
 * ```
 */
export class StreamTracker {
  readonly #open: Set<string> = new Set();
  readonly #ended: Set<string> = new Set();

  /** Streams that have begun and not ended. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * Judges a frame. After `fault` and `limit` the state is as before.
   *
   * @param frame The frame, or its flags and identity.
   * @param direction Which way it went. @default {"in"}
   * @returns The verdict.
   */
  track(
    frame: Pick<Frame, "flags" | "appProtoId" | "tenantId" | "corrId">,
    direction: Direction = "in",
  ): StreamVerdict {
    const start = (frame.flags & FLAGS.START) !== 0;
    const end = (frame.flags & FLAGS.END) !== 0;
    const id = `${direction}/${frame.appProtoId}/${frame.tenantId}/${frame.corrId}`;
    if (this.#ended.has(id)) return "fault";
    if (this.#open.has(id)) {
      if (start) return "fault";
      if (!end) return "open";
      this.#end(id);
      return "ended";
    }
    if (start === end) return "done";
    if (end) return "fault";
    if (this.#open.size >= CAPS.inflightFrames) return "limit";
    this.#open.add(id);
    return "open";
  }

  #end(id: string): void {
    this.#open.delete(id);
    this.#ended.add(id);
    if (this.#ended.size <= ENDED_IDS) return;
    const [oldest] = this.#ended;
    this.#ended.delete(oldest as string);
  }
}
