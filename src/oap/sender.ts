/**
 * Frames on their way out.
 *
 * @module
 */

import { deferred } from "../deferred.ts";
import type { TransportError } from "../errors.ts";
import type { Carrier, Outbox, WriteDone } from "../sink.ts";
import { type Answer, answerTo, type Asked, noRequest } from "./answer.ts";
import { checkFrame, encodeHead, encodeInto } from "./encoder.ts";
import { EMPTY, FLAGS, type Frame, HEADER_BYTES, VERSION } from "./frame.ts";
import { FrameView } from "./frame_view.ts";
import { type FrameTimer, TIMED_OF } from "./frame_timer.ts";
import type { FramedCounters } from "./framed_counters.ts";
import type { HeadPool } from "./head_pool.ts";
import type { InboundRequests } from "./inbound.ts";
import type { Loans } from "./lend.ts";

/** Flags that an answer may have besides RESP, and is not looked at further for. */
const ANSWER_FLAGS = FLAGS.START | FLAGS.END | FLAGS.ACK_REQ | FLAGS.APP_E2E;

/** Puts frames into a connection's inbox: small ones by copy, large ones by reference. */
export class Sender {
  /** Largest frame by the options and by what was agreed with the peer; the configuration can be lower. */
  most: number;
  /** Flags that the other end understands; all until HELLO says otherwise. */
  flags = 0xff;
  /** Told of every answer, while a drain waits for the last one. */
  onAnswer: (() => void) | undefined = undefined;
  /** What this connection and others lend. */
  readonly loans: Loans;
  /** The inbox. */
  readonly outbox: Outbox;
  readonly #inbound: InboundRequests;
  readonly #counters: FramedCounters;
  readonly #carrier: Pick<Carrier, "now" | "maxFrameBytes">;
  readonly #timer: FrameTimer;
  readonly #heads: HeadPool;
  /** Frames that are not in the counters yet, as adding to small numbers costs less. */
  #frames = 0;
  /** See `#frames`. */
  #bytes = 0;
  /** Most of these before one is timed; the first is. */
  #untimed = 0;

  /**
   * @param carrier Whose inbox it is, and what is the largest frame by the configuration.
   * @param most Largest frame, by the options.
   * @param inbound Told of answers.
   * @param counters Where frames are counted, once {@linkcode Sender.settle} is called.
   * @param timer Times some frames.
   * @param heads Where headers of large frames are written.
   * @param loans What this connection and others lend.
   */
  constructor(
    carrier: Pick<Carrier, "outbox" | "now" | "maxFrameBytes">,
    most: number,
    inbound: InboundRequests,
    counters: FramedCounters,
    timer: FrameTimer,
    heads: HeadPool,
    loans: Loans,
  ) {
    this.outbox = carrier.outbox;
    this.#heads = heads;
    this.loans = loans;
    this.#carrier = carrier;
    this.most = most;
    this.#inbound = inbound;
    this.#counters = counters;
    this.#timer = timer;
  }

  /** Memory that is only lent while a borrowed batch is out: large payloads in it are copied. */
  get lent(): readonly ArrayBufferLike[] {
    return this.loans.lent;
  }

  /** Largest frame that may be sent now, in bytes. */
  get maxFrameBytes(): number {
    return Math.min(this.most, this.#carrier.maxFrameBytes);
  }

  /** Puts into the counters what was sent; before they are read. */
  settle(): void {
    this.#counters.framesOut += this.#frames;
    this.#counters.bytesOut += this.#bytes;
    this.#frames = this.#bytes = 0;
  }

  /**
   * Queues a frame if there is room now.
   *
   * @param done Told when the frame's memory is free again; for small frames before this returns.
   * @returns `false` when it was refused for now, see {@linkcode Outbox.refusal}; nothing has changed then.
   * @throws {TransportError} What the frame breaks, or why nothing can be sent any more.
   */
  offer(frame: Frame, done: WriteDone | undefined): boolean {
    if (this.#frames < this.#untimed) return this.#offer(frame, done);
    const before = this.#carrier.now();
    if (!this.#offer(frame, done)) return false;
    this.#timer.took(this.#carrier.now() - before, 1);
    this.settle();
    this.#untimed = TIMED_OF - 1;
    return true;
  }

  #offer(frame: Frame, done: WriteDone | undefined): boolean {
    const { outbox } = this;
    const len = checkFrame(frame, this.most);
    // No configuration allows so little that a small one would not fit.
    if (len > outbox.smallBytes) return this.#offerLarge(frame, len, done);
    const at = outbox.reserve(len);
    if (at < 0) return this.#full();
    const view = outbox.blockView;
    encodeInto(outbox.block, view, at, frame);
    this.#sent(view, at, frame.flags, len);
    done?.(undefined);
    return true;
  }

  /**
   * Queues frames in their order, as many as there is room for now.
   *
   * @param from The first of them.
   * @param done As for {@linkcode Sender.offer}, for each frame that is taken.
   * @returns How many were taken.
   * @throws {TransportError} As {@linkcode Sender.offer}, if no frame was taken before.
   */
  offerAll(frames: readonly Frame[], from: number, done: WriteDone | undefined): number {
    let next = from;
    try {
      while (next < frames.length && this.offer(frames[next]!, done)) next++;
    } catch (error) {
      if (next === from) throw error; // else it is thrown when the rest is offered
    }
    return next - from;
  }

  /** Queues an answer, as {@linkcode Sender.offer} does. A small one takes its ids from the request's header. */
  offerAnswer(asked: Asked, answer: Answer, done: WriteDone | undefined): boolean {
    const { outbox } = this;
    const { code, payload = EMPTY, flags = 0 } = answer;
    const len = HEADER_BYTES + payload.length;
    if (
      !(asked instanceof FrameView) || this.#frames >= this.#untimed || len > outbox.smallBytes ||
      len > this.most || (flags & ~ANSWER_FLAGS) !== 0 || (code & 0xffff) !== code
    ) return this.offer(answerTo(asked, answer), done);
    if ((asked.flags & FLAGS.REQ) === 0) throw noRequest(asked.flags);
    const at = outbox.reserve(len);
    if (at < 0) return this.#full();
    const { block, blockView } = outbox;
    blockView.setUint32(at, len);
    blockView.setUint32(at + 4, VERSION << 16 | FLAGS.RESP | flags);
    blockView.setUint16(at + 8, code);
    asked.copyIds(blockView, at);
    blockView.setUint16(at + 28, 0);
    if (payload.length > 0) block.set(payload, at + HEADER_BYTES);
    this.#sent(blockView, at, FLAGS.RESP, len);
    done?.(undefined);
    return true;
  }

  /**
   * Queues the refusal of a request: its own header, turned round. It answers none that waits for an
   * answer, be its id theirs.
   *
   * @param bytes The request's header is in them, at `from`.
   * @returns As {@linkcode Sender.offer}.
   */
  refuse(bytes: Uint8Array, from: number, code: number): boolean {
    const { outbox } = this;
    const at = outbox.reserve(HEADER_BYTES);
    if (at < 0) return this.#full();
    const { block, blockView } = outbox;
    block.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, HEADER_BYTES), at);
    blockView.setUint32(at, HEADER_BYTES);
    blockView.setUint16(at + 6, FLAGS.RESP);
    blockView.setUint16(at + 8, code);
    blockView.setUint16(at + 28, 0);
    this.#frames++;
    this.#bytes += HEADER_BYTES;
    return true;
  }

  /**
   * Queues a frame whose header and payload are apart, if there is room now.
   *
   * @param head Header and capability; not to be changed afterwards.
   * @param body The payload; not to be changed until `done`.
   */
  offerParts(
    head: Uint8Array,
    body: Uint8Array,
    flags: number,
    done: WriteDone | undefined,
  ): boolean {
    if (!this.outbox.push(head, body, done)) return this.#full();
    this.#frames++;
    this.#bytes += head.length + body.length;
    if ((flags & FLAGS.RESP) !== 0) {
      this.#answered(new DataView(head.buffer, head.byteOffset, HEADER_BYTES), 0);
    }
    this.settle();
    return true;
  }

  /**
   * Queues a frame, waiting for room.
   *
   * @returns When the frame's memory is free again.
   */
  async send(frame: Frame, signal: AbortSignal | undefined): Promise<void> {
    if (this.isSmall(frame)) {
      if (!this.offer(frame, undefined)) await this.sendLater(frame, signal);
      return;
    }
    const { done, written } = writing();
    if (!this.offer(frame, done)) return await this.sendLater(frame, signal);
    await written;
  }

  /** The same for a frame that {@linkcode Sender.offer} has just refused. */
  async sendLater(frame: Frame, signal: AbortSignal | undefined): Promise<void> {
    // Room comes when a loan has ended: then only a copy is safe.
    const kept = this.lent.length > 0 ? ownFrame(frame) : frame;
    const len = checkFrame(kept, this.maxFrameBytes);
    const { done, written } = writing();
    await this.outbox.inTurn(len, () => this.offer(kept, done), signal);
    await written;
  }

  /**
   * Queues frames in their order, waiting for room as often as it takes.
   *
   * @returns When the memory of all frames is free again.
   */
  async sendAll(frames: readonly Frame[], signal: AbortSignal | undefined): Promise<void> {
    let rest = frames;
    let failure: TransportError | undefined;
    let free = 0;
    let settle = (): void => {};
    const done: WriteDone = (error) => {
      failure ??= error;
      if (++free === frames.length) settle();
    };
    let next = this.offerAll(rest, 0, done);
    // Room comes when a loan has ended: then only copies are safe.
    if (next < rest.length && this.lent.length > 0) {
      rest = rest.map((f, i) => i < next ? f : ownFrame(f));
    }
    while (next < rest.length) {
      const len = checkFrame(rest[next]!, this.maxFrameBytes);
      let taken = 0;
      const put = (): boolean => (taken = this.offerAll(rest, next, done)) > 0;
      await this.outbox.inTurn(len, put, signal);
      next += taken;
    }
    if (free < frames.length) await new Promise<void>((resolve) => settle = resolve);
    if (failure !== undefined) throw failure;
  }

  /** Whether the frame is copied when it is offered, so that its memory is free at once. */
  isSmall({ payload, capability }: Frame): boolean {
    const bytes = HEADER_BYTES + (payload?.length ?? 0) + (capability?.length ?? 0);
    return bytes <= this.outbox.smallBytes;
  }

  #offerLarge(frame: Frame, len: number, done: WriteDone | undefined): boolean {
    const { flags, capability, payload = EMPTY } = frame;
    if (len > this.maxFrameBytes) checkFrame(frame, this.maxFrameBytes);
    const body = this.lent.includes(payload.buffer) ? payload.slice() : payload;
    if (capability !== undefined && capability.length > 0) {
      const head = new Uint8Array(HEADER_BYTES + capability.length);
      encodeHead(head, new DataView(head.buffer), 0, frame, flags, payload.length);
      return this.offerParts(head, body, flags, done);
    }
    const pool = this.#heads;
    const head = pool.take();
    encodeHead(head.bytes, head.view, 0, frame, flags, payload.length);
    const free: WriteDone = (error) => {
      // Of a connection that broke off, the runtime may still read it.
      if (error === undefined) pool.give(head);
      done?.(error);
    };
    if (!this.outbox.push(head.bytes, body, free)) {
      pool.give(head);
      return this.#full();
    }
    this.#sent(head.view, 0, flags, len);
    this.settle();
    return true;
  }

  #sent(view: DataView, at: number, flags: number, len: number): void {
    this.#frames++;
    this.#bytes += len;
    if ((flags & FLAGS.RESP) !== 0) this.#answered(view, at);
  }

  #answered(view: DataView, at: number): void {
    this.#inbound.answered(view, at);
    this.onAnswer?.();
  }

  #full(): false {
    if (this.outbox.failure !== undefined) throw this.outbox.failure;
    return false;
  }
}

/** What to call when memory is free again, and a promise of that. */
function writing(): { readonly done: WriteDone; readonly written: Promise<void> } {
  const { promise: written, resolve, reject } = deferred<void>();
  const done: WriteDone = (error) => error === undefined ? resolve() : reject(error);
  return { done, written };
}

function ownFrame(frame: Frame): Frame {
  const { flags, code, appProtoId, tenantId, corrId, capability, payload } = frame;
  return {
    flags,
    code,
    appProtoId,
    tenantId,
    corrId,
    capability: capability?.slice(),
    payload: (payload ?? EMPTY).slice(),
  };
}
