/**
 * Decides where each decoded frame goes: HELLO and answers stay here, the rest is delivered.
 *
 * @module
 */

import type { Index } from "./batch.ts";
import { CodecError } from "./codec_error.ts";
import { EMPTY, FLAGS, HEADER_BYTES } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import type { FramedCounters } from "./framed_counters.ts";
import { decodeHelloRequest, helloFrame, type HelloReply } from "./hello.ts";
import type { InboundRequests } from "./inbound.ts";
import type { Requests } from "./requests.ts";
import type { Sender } from "./sender.ts";
import { Source } from "./source.ts";

/** Takes frames that are for the application; they must be done with when it returns, or copied. */
export type Deliver = (index: Index) => void;

/** What the router needs of its connection. */
export interface RouterParts {
  /** Requests of this end. */
  readonly requests: Requests;
  /** Requests of the peer. */
  readonly inbound: InboundRequests;
  /** For 429 and HELLO replies. */
  readonly sender: Sender;
  /** Where frames are counted. */
  readonly counters: FramedCounters;
  /** What this end says in a HELLO reply. */
  readonly reply: HelloReply;
}

/** See the module. */
export class Router {
  readonly #parts: RouterParts;

  /** @param parts The connection's parts. */
  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /**
   * Counts and distributes the frames of one read.
   *
   * @param index The frames.
   * @param deliver Takes the application's, in order; called more than once when delivering may free
   * room for further requests.
   * @param prompt Whether `deliver` runs the application at once, so that it may answer.
   * @returns The fault of a HELLO, after which nothing was delivered.
   */
  route(index: Index, deliver: Deliver, prompt: boolean): CodecError | undefined {
    if (!this.#count(index)) {
      deliver(index);
      return undefined;
    }
    return this.#sort(index, deliver, prompt);
  }

  /** Counts the frames, and tells whether any of them needs a closer look. */
  #count(index: Index): boolean {
    const { at, extra } = index;
    const { counters, requests } = this.#parts;
    const main = index.main?.bytes ?? EMPTY;
    const look = requests.concerned ? FLAGS.REQ | FLAGS.RESP : FLAGS.REQ;
    let flagged = 0;
    let hello = 0, error = 0, start = 0, end = 0, bytes = 0;
    for (let i = 0; i < at.length; i += 2) {
      const o = at[i] as number;
      const source = o < 0 ? (extra[-o - 1] as Source).bytes : main;
      const p = o < 0 ? 0 : o;
      const flags = source[p + 7] as number;
      flagged |= flags;
      bytes += at[i + 1] as number;
      if (source[p + 11] === 0 && source[p + 10] === 0) hello++;
      else if (((source[p + 8] as number) << 8 | (source[p + 9] as number)) >= 400) error++;
      else if ((flags & FLAGS.START) !== 0) start++;
      else if ((flags & FLAGS.END) !== 0) end++;
    }
    const n = at.length >> 1;
    counters.framesIn += n;
    counters.bytesIn += bytes;
    counters.hello += hello;
    counters.error += error;
    counters.start += start;
    counters.end += end;
    counters.data += n - hello - error - start - end;
    return hello > 0 || (flagged & look) !== 0;
  }

  #sort(index: Index, deliver: Deliver, prompt: boolean): CodecError | undefined {
    const { at, main, extra } = index;
    const { inbound, requests } = this.#parts;
    const bytes = main?.bytes;
    let out: Index = { at: [], main, extra: [] };
    const flush = (): void => {
      if (out.at.length > 0) deliver(out);
      // What was delivered may have been a loan, which has ended now.
      out = { at: [], main: bytes && new Source(bytes), extra: [] };
    };
    for (let i = 0; i < at.length; i += 2) {
      const o = at[i] as number;
      const len = at[i + 1] as number;
      let source = (o < 0 ? extra[-o - 1] : out.main) as Source;
      const p = o < 0 ? 0 : o;
      const { view } = source;
      const flags = view.getUint16(p + 6);
      if (view.getUint16(p + 10) === 0) {
        const fault = this.#hello(source, p, len, flags);
        if (fault === undefined) continue;
        flush();
        return fault;
      }
      if ((flags & FLAGS.RESP) !== 0) {
        if (requests.concerned && this.#answer(source, p, len, o < 0)) continue;
      } else if ((flags & FLAGS.REQ) !== 0) {
        let verdict = inbound.judge(view, p, flags, !prompt || out.at.length === 0);
        if (verdict === "refuse" && prompt && out.at.length > 0) {
          flush();
          if (o >= 0) source = out.main as Source;
          verdict = inbound.judge(source.view, p, flags, true);
        }
        if (verdict !== "deliver") {
          this.#turnAway(verdict, source, p);
          continue;
        }
      }
      if (o >= 0) out.at.push(o, len);
      else out.at.push(-out.extra.push(source), len);
    }
    if (out.at.length > 0) deliver(out);
    return undefined;
  }

  #hello(source: Source, at: number, len: number, flags: number): CodecError | undefined {
    const { sender, counters, reply } = this.#parts;
    if ((flags & FLAGS.RESP) !== 0 && (flags & FLAGS.REQ) === 0) {
      if (!this.#answer(source, at, len, false)) counters.lateAnswers++;
      return undefined;
    }
    const request = new FrameView(source, at, len);
    try {
      decodeHelloRequest(request);
    } catch (error) {
      if (error instanceof CodecError) return error;
      throw error;
    }
    const { max_frame, max_inflight, flags_supported, versions, transports } = reply;
    const body = { max_frame, max_inflight, flags_supported, versions, transports };
    const { tenantId, corrId } = request;
    if (
      !this.#offer(() =>
        sender.offer(helloFrame(FLAGS.RESP, 200, body, { tenantId, corrId }), undefined)
      )
    ) counters.dropped++;
    return undefined;
  }

  /** Hands a response to whoever waits for it. A frame that has memory of its own is not copied. */
  #answer(source: Source, at: number, len: number, own: boolean): boolean {
    const { requests, counters } = this.#parts;
    const pending = requests.match(source.view, at);
    if (pending === undefined) return false;
    if (pending === "late") counters.lateAnswers++;
    else {
      const view = new FrameView(source, at, len);
      pending.resolve(own ? view : view.toFrame());
    }
    return true;
  }

  #turnAway(verdict: "refuse" | "drop", source: Source, at: number): void {
    const { sender, counters } = this.#parts;
    if (verdict === "refuse") {
      const { appProtoId, tenantId, corrId } = new FrameView(source, at, HEADER_BYTES);
      const answer = { flags: FLAGS.RESP, code: 429, appProtoId, tenantId, corrId, payload: EMPTY };
      if (this.#offer(() => sender.offer(answer, undefined))) {
        counters.refused++;
        return;
      }
    }
    counters.dropped++;
  }

  /** An answer of ours that has no room, or no way out any more, is given up. */
  #offer(call: () => boolean): boolean {
    try {
      return call();
    } catch {
      return false;
    }
  }
}
