/**
 * Decides where each decoded frame goes: HELLO and answers stay here, the rest is delivered.
 *
 * @module
 */

import { CodecError } from "./codec_error.ts";
import type { Found } from "./found.ts";
import { Sorting } from "./sorting.ts";
import { FLAGS, type Frame, HEADER_BYTES } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import type { FramedCounters } from "./framed_counters.ts";
import { decodeHelloRequest, helloFrame, type HelloReply } from "./hello.ts";
import type { InboundRequests } from "./inbound.ts";
import type { Requests } from "./requests.ts";
import type { Sender } from "./sender.ts";
import type { Source } from "./source.ts";

/** Takes frames that are for the application; they must be done with when it returns, or copied. */
export type Deliver = (found: Found) => void;

/** What the router needs of its connection. */
export interface RouterParts {
  /** Requests of this end. */
  readonly requests: Requests;
  /** Whether a response can concern a request of this end. */
  readonly awaits: boolean;
  /** Requests of the peer. */
  readonly inbound: InboundRequests;
  /** For 429, 503 and HELLO replies. */
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
   * @param found The frames.
   * @param deliver Takes the application's, in order; called more than once when delivering may free
   * room for further requests.
   * @param prompt Whether `deliver` runs the application at once, so that it may answer.
   * @returns The fault of a HELLO, after which nothing was delivered.
   */
  route(found: Found, deliver: Deliver, prompt: boolean): CodecError | undefined {
    this.#count(found);
    const look = this.#parts.awaits ? FLAGS.REQ | FLAGS.RESP : FLAGS.REQ;
    if (found.hello === 0 && (found.flags & look) === 0) {
      const body = found.runs.at(-1)?.body;
      if (body !== undefined) body.judged = true;
      if (found.items > 0) deliver(found);
      return undefined;
    }
    return new Sorting(found, deliver, prompt).run((sorting, source, at, len) =>
      this.#judge(sorting, source, at, len)
    );
  }

  /** Whether a frame may come in parts: not where it is taken here, which wants all of it. */
  mayCut(flags: number, appProtoId: number): boolean {
    return appProtoId !== 0 && ((flags & FLAGS.RESP) === 0 || !this.#parts.awaits);
  }

  #count({ frames, bytes, capabilityBytes, hello, error, start, end }: Found): void {
    const { counters } = this.#parts;
    counters.framesIn += frames;
    counters.bytesIn += bytes;
    counters.payloadIn += bytes - HEADER_BYTES * frames - capabilityBytes;
    counters.hello += hello;
    counters.error += error;
    counters.start += start;
    counters.end += end;
    counters.data += frames - hello - error - start - end;
  }

  /** `true`: the frame is the application's. `false`: it has been dealt with. */
  #judge(sorting: Sorting, source: Source, at: number, len: number): boolean | CodecError {
    const { inbound } = this.#parts;
    let { view } = source;
    const flags = view.getUint16(at + 6);
    if (view.getUint16(at + 10) === 0) return this.#hello(source, at, len, flags) ?? false;
    if ((flags & FLAGS.RESP) !== 0) {
      return !(this.#parts.awaits && this.#answer(source, at, len, source.own));
    }
    if ((flags & FLAGS.REQ) === 0) return true;
    let verdict = inbound.judge(view, at, flags, !sorting.mayFlush);
    if (verdict === "refuse" && sorting.mayFlush) {
      if (source.own) sorting.flush();
      else ({ view } = source = sorting.flush());
      verdict = inbound.judge(view, at, flags, true);
    }
    if (verdict !== "deliver") this.#turnAway(verdict, source, at);
    return verdict === "deliver";
  }

  #hello(source: Source, at: number, len: number, flags: number): CodecError | undefined {
    const { counters, reply } = this.#parts;
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
    this.#queue(helloFrame(FLAGS.RESP, 200, body, { tenantId, corrId }));
    return undefined;
  }

  /**
   * Hands a response to whoever waits for it. A frame that has memory of its own is not copied; where that is
   * larger, the rest of it is of other connections.
   */
  #answer(source: Source, at: number, len: number, own: boolean): boolean {
    const { requests, counters } = this.#parts;
    const pending = requests.match(source.view, at);
    if (pending === undefined) return false;
    if (pending === "late") counters.lateAnswers++;
    else {
      const view = new FrameView(source, at, len);
      const whole = own && source.bytes.length === source.buffer.byteLength;
      pending.resolve(whole ? view : view.toFrame());
    }
    return true;
  }

  #turnAway(verdict: "refuse" | "drop", source: Source, at: number): void {
    const { inbound, sender, counters } = this.#parts;
    if (verdict === "drop") {
      counters.dropped++;
      return;
    }
    // As many as a flood of requests: nothing is made for one that has to be dropped.
    const code = inbound.refusal;
    const refused = (): void => void counters.refused++;
    const dropped = (): void => void counters.dropped++;
    try {
      if (sender.refuse(source.bytes, at, code)) return refused();
    } catch {
      return dropped();
    }
    if (sender.outbox.crowded) return dropped();
    // In memory of its own: the read has other bytes by the time that it is this one's turn.
    const header = new Uint8Array(source.slice(at, HEADER_BYTES));
    sender.outbox.inTurn(HEADER_BYTES, () => sender.refuse(header, 0, code)).then(refused, dropped);
  }

  /**
   * Queues an answer of ours, in turn where the inbox or the egress rate has no room for it now. One that
   * the line has no place for, or that has no way out any more, is given up.
   */
  #queue(answer: Frame): void {
    const { sender, counters } = this.#parts;
    const put = (): boolean => sender.offer(answer, undefined);
    const dropped = (): void => void counters.dropped++;
    try {
      if (put()) return;
      sender.outbox.inTurn(HEADER_BYTES + answer.payload.length, put).catch(dropped);
    } catch {
      dropped();
    }
  }
}
