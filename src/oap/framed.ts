/**
 * OAP/1 on a connection.
 *
 * @module
 */

import type { CloseReason } from "../close_reason.ts";
import type { ConnectionInfo } from "../connection.ts";
import { TransportError } from "../errors.ts";
import type { Attachable, WriteDone } from "../sink.ts";
import { type Answer, answerTo, type Asked } from "./answer.ts";
import type { BorrowedBatch, FrameBatch } from "./batch.ts";
import type { StreamSource } from "./chunk_source.ts";
import { type CorrIds, corrIds } from "./corr_ids.ts";
import { FLAGS, type Frame, type FrameHead } from "./frame.ts";
import type { FrameView } from "./frame_view.ts";
import type { FramedCounters } from "./framed_counters.ts";
import type { FramedOptions, RequestOptions, SendOptions } from "./framed_options.ts";
import { FramedSink } from "./framed_sink.ts";
import { helloFrame, type Negotiated } from "./hello.ts";
import { Ping } from "./ping.ts";
import { request } from "./request.ts";
import { type StreamResult, StreamSend } from "./stream_send.ts";

/**
 * Speaks OAP/1 on a connection from here on. Its own `read` and `write` throw `misuse` afterwards.
 *
 * @param connection A connection that nothing was read from.
 * @param options Limits, which can only be lowered, and habits.
 * @returns The connection as frames.
 * @throws {TransportError} `misuse` for a connection that is taken, `config_invalid` for a limit.
 *
 * @example A server that answers, and a client that asks
 * ```ts
 * import { FLAGS, framed } from "@ron/transport/oap";
 * import { duplexPair } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * await using pair = await duplexPair();
 * const client = framed(pair.near);
 * const server = framed(pair.far);
 * server.onBatch((batch) => {
 *   batch.forEach((frame) => server.tryAnswer(frame, { code: 200, payload: frame.payload }));
 * });
 *
 * const payload = new TextEncoder().encode("ping");
 * const answer = await client.request({ flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload });
 * assert.deepEqual(answer.payload, payload);
 * ```
 */
export function framed(
  connection: Attachable,
  options: FramedOptions = NO_OPTIONS,
): FramedConnection {
  return new FramedConnection(connection.attach((carrier) => new FramedSink(carrier, options)));
}

const NO_OPTIONS: FramedOptions = Object.freeze({});

/**
 * A connection as frames. Frames come by batch, one for each read, to one consumer: either
 * {@linkcode FramedConnection.onBatch} or {@linkcode FramedConnection.batches}. Answers to
 * {@linkcode FramedConnection.request} and HELLO never appear among them.
 *
 * With no consumer, or one that is slow, at most 512 frames wait; then reading pauses.
 */
export class FramedConnection implements AsyncDisposable {
  readonly #sink: FramedSink;
  #ids: CorrIds | undefined = undefined;
  #consumed: "batches" | "onBatch" | undefined = undefined;

  /** @internal Made by {@linkcode framed}. */
  constructor(sink: FramedSink) {
    this.#sink = sink;
    const { ping } = sink.options;
    if (ping !== undefined) sink.ping = new Ping(sink, ping, this.#idSource);
  }

  /** What is known of the connection. */
  get info(): ConnectionInfo {
    return this.#sink.carrier.info;
  }

  /** Resolves once the connection is over, with the first cause. Never rejects. */
  get closed(): Promise<CloseReason> {
    return this.#sink.carrier.closed;
  }

  /** A copy of what was counted. */
  get counters(): FramedCounters {
    const { counted } = this.#sink;
    return { ...counted, rejects: { ...counted.rejects } };
  }

  /** Requests of this end that wait for an answer. */
  get inflight(): number {
    return this.#sink.inflight;
  }

  /** Largest frame that may be sent, in bytes; HELLO can lower it. */
  get maxFrameBytes(): number {
    return this.#sink.sender.maxFrameBytes;
  }

  /**
   * The frames of each read, with memory of their own: where the runtime only lends its buffer, the read
   * is copied once. Reading pauses while nobody takes them. Breaking off the loop leaves the connection open.
   *
   * @returns To be looped over once at a time; the loop ends with the peer's input.
   * @throws {TransportError} `misuse` when the frames have a consumer already. The loop throws the cause of
   * a close that was not in order, after the frames before it.
   */
  batches(): AsyncIterableIterator<FrameBatch> {
    this.#consume("batches");
    const { queue } = this.#sink;
    const iterator: AsyncIterableIterator<FrameBatch> = {
      next: () => queue.next(),
      return: () => {
        this.#consumed = undefined;
        return queue.return();
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * One frame at a time. The slowest way: 100 to 200 ns a frame go into promises, which is several times what
   * {@linkcode FramedConnection.batches} takes for all else; it throws as that does.
   */
  async *frames(): AsyncGenerator<FrameView, void, undefined> {
    // Not `yield*`, which makes two more promises of each frame.
    for await (const batch of this.batches()) for (const frame of batch) yield frame;
  }

  /**
   * Lends the frames of each read to a callback, which is the fastest way: nothing is copied, and nothing
   * allocated for a frame. When it returns the memory is used again. When the peer ends its side, the
   * connection closes after the last answer that is owed.
   *
   * @param callback Must not throw, and must not wait with the batch: keep `batch.copy()`,
   * `frame.toFrame()` or `frame.copyPayload()`. Sending a lent payload is safe by any framed connection of the
   * same transport; another transport, and `Connection.write`, must be given a copy. An array that is kept longer
   * shows bytes of later frames, be they of other connections of the transport: the memory is theirs as well.
   * @throws {TransportError} `misuse` when the frames have a consumer already.
   */
  onBatch(callback: (batch: BorrowedBatch) => void): void {
    this.#consume("onBatch");
    this.#sink.lendTo(callback);
  }

  /**
   * Sends a frame, waiting for room in the inbox.
   *
   * @param frame Small ones are copied at once; the payload of a large one must not change until this resolves.
   * @returns When the frame's memory may be used again. That the peer has it, only the peer can tell.
   * @throws {CodecError} The rule that the frame breaks.
   * @throws {TransportError} `busy` when too many callers wait, `misuse` for a field that does not fit, the
   * cause of the close, or the signal's reason.
   */
  send(frame: Frame, options: SendOptions = {}): Promise<void> {
    return this.#sink.sender.send(frame, options.signal);
  }

  /**
   * Sends a frame, if there is room now.
   *
   * @param frame As for {@linkcode FramedConnection.send}.
   * @param done Told when the frame's memory may be used again, or why it was not sent. For a frame of up
   * to 32 KiB that is before this returns.
   * @throws {CodecError} The rule that the frame breaks.
   * @throws {TransportError} `busy` without room, and nothing was taken then; the cause of the close.
   */
  trySend(frame: Frame, done?: WriteDone): void {
    const { sender } = this.#sink;
    if (!sender.offer(frame, done)) throw sender.outbox.refusal(frame.payload?.length ?? 0);
  }

  /**
   * Sends frames in their order, waiting for room as often as it takes. Small ones that are sent together
   * cost less than one by one, and share a write.
   *
   * @param frames Not to be changed until this resolves.
   * @returns When the memory of all frames may be used again.
   * @throws {CodecError} The rule that a frame breaks; those before it are sent.
   * @throws {TransportError} As {@linkcode FramedConnection.send}; some frames may have been sent.
   *
   * @example
   * ```ts
   * import { FLAGS, type Frame, framed } from "@ron/transport/oap";
   * import { duplexPair } from "@ron/transport/testing";
   * import assert from "node:assert/strict";
   *
   * await using pair = await duplexPair();
   * const event = (n: number): Frame => ({
   *   flags: FLAGS.EVENT,
   *   code: 0,
   *   appProtoId: 7,
   *   tenantId: 0n,
   *   corrId: BigInt(n),
   *   payload: new Uint8Array(64),
   * });
   * const events = Array.from({ length: 1_000 }, (_, n) => event(n));
   * const sent = framed(pair.near).sendAll(events);
   * let came = 0;
   * for await (const batch of framed(pair.far).batches()) {
   *   came += batch.length;
   *   if (came === events.length) break;
   * }
   * await sent;
   * assert.equal(came, 1_000);
   * ```
   */
  sendAll(frames: readonly Frame[], options: SendOptions = {}): Promise<void> {
    return this.#sink.sender.sendAll(frames, options.signal);
  }

  /**
   * Sends frames in their order, as many as there is room for now. Unlike {@linkcode FramedConnection.trySend}
   * it does not throw when there is none.
   *
   * @param frames The payload of a large one must not change until the connection has sent it.
   * @param from The first frame to send. @default {0}
   * @returns How many were taken.
   * @throws {CodecError} The rule that the first of them breaks. A later one ends what is taken.
   * @throws {TransportError} `misuse` for a field that does not fit, the cause of the close.
   *
   * @example
   * ```ts
   * import { FLAGS, type Frame, framed } from "@ron/transport/oap";
   * import { duplexPair } from "@ron/transport/testing";
   * import assert from "node:assert/strict";
   *
   * await using pair = await duplexPair();
   * const link = framed(pair.near);
   * const payload = new Uint8Array(64);
   * const event: Frame = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload };
   * const events = Array.from({ length: 300 }, () => event);
   * const taken = link.trySendAll(events);
   * assert.equal(taken, 256); // the inbox holds no more
   * assert.equal(link.trySendAll(events, taken), 0);
   * ```
   */
  trySendAll(frames: readonly Frame[], from: number = 0): number {
    return this.#sink.sender.offerAll(frames, from, undefined);
  }

  /**
   * Answers a request, waiting for room in the inbox. The answer has the ids of the request.
   *
   * @param request A frame with REQ as it came, or what was kept of it.
   * @param answer Status and payload; the payload of a large one must not change until this resolves.
   * @returns As {@linkcode FramedConnection.send}, which it throws as, too; and `misuse` for a frame without REQ.
   *
   * @example An answer that takes a while
   * ```ts
   * import { FLAGS, framed } from "@ron/transport/oap";
   * import { duplexPair } from "@ron/transport/testing";
   * import assert from "node:assert/strict";
   *
   * await using pair = await duplexPair();
   * const server = framed(pair.far);
   * server.onBatch((batch) => {
   *   for (const frame of batch) {
   *     const request = frame.toFrame();
   *     setTimeout(() => void server.answer(request, { code: 200, payload: request.payload }), 1);
   *   }
   * });
   * const payload = new Uint8Array([1, 2]);
   * const request = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 3n, corrId: 4n, payload };
   * const answer = await framed(pair.near).request(request);
   * assert.deepEqual(answer.payload, payload);
   * ```
   */
  async answer(request: Asked, answer: Answer, options: SendOptions = {}): Promise<void> {
    await this.#sink.sender.send(answerTo(request, answer), options.signal);
  }

  /**
   * Answers a request, if there is room now. The fastest way to answer: the ids are copied from header to header.
   *
   * @param request A frame with REQ as it came, or what was kept of it.
   * @param answer Status and payload, which may be that of the request.
   * @param done As for {@linkcode FramedConnection.trySend}, which it throws as, too; and `misuse` for a frame
   * without REQ.
   *
   * @example
   * ```ts
   * import { FLAGS, framed } from "@ron/transport/oap";
   * import { duplexPair } from "@ron/transport/testing";
   * import assert from "node:assert/strict";
   *
   * await using pair = await duplexPair();
   * const server = framed(pair.far);
   * server.onBatch((batch) => {
   *   batch.forEach((frame) => server.tryAnswer(frame, { code: 200, payload: frame.payload }));
   * });
   * const payload = new Uint8Array([1, 2]);
   * const request = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 3n, corrId: 4n, payload };
   * const answer = await framed(pair.near).request(request);
   * assert.equal(answer.corrId, 4n);
   * ```
   */
  tryAnswer(request: Asked, answer: Answer, done?: WriteDone): void {
    const { sender } = this.#sink;
    if (sender.offerAnswer(request, answer, done)) return;
    throw sender.outbox.refusal(answer.payload?.length ?? 0);
  }

  /**
   * Sends a request and waits for its answer: the first frame with RESP and the same tenant, protocol and id.
   *
   * @param frame With REQ, and an id that no other waiting request has.
   * @returns The answer, whatever its code, in memory of its own.
   * @throws {TransportError} `busy` while 64 others wait, `misuse` for an id that is in use, `timeout`, the
   * cause of the close, or the signal's reason. A late answer is dropped and counted.
   */
  request(frame: Frame, options: RequestOptions = {}): Promise<Frame> {
    return request(this.#sink, frame, options);
  }

  /**
   * Sends a body as a stream: payloads of one chunk (64 KiB), the first frame with START and the capability,
   * the last with END. At most 8 chunks are queued at a time, and other frames come between them.
   *
   * A source that fails, or the signal, ends a stream that has begun with an empty END frame of code 499.
   *
   * @param source The body. A `Uint8Array` is not copied, and must not change until this resolves.
   * @param head What the frames share; START and END are set here.
   * @returns What was sent.
   * @throws {TransportError} As {@linkcode FramedConnection.send}.
   */
  async sendStream(
    source: StreamSource,
    head: FrameHead,
    options: SendOptions = {},
  ): Promise<StreamResult> {
    const { carrier, sender, options: habits } = this.#sink;
    const body = source instanceof Uint8Array && sender.lent.includes(source.buffer)
      ? source.slice()
      : source;
    const signal = options.signal === undefined
      ? carrier.signal
      : AbortSignal.any([options.signal, carrier.signal]);
    return await new StreamSend(sender, head, {
      chunkBytes: carrier.chunkBytes,
      compress: habits.compress,
      onChunk: (bytes) => carrier.chunked(bytes),
      signal,
    }).run(body);
  }

  /**
   * Asks the other end for its limits, and lowers this end's to them, in both directions. Doing it again is
   * a ping. The other end answers by itself.
   *
   * @param agent Name and version of this software. @default {null}
   * @returns What holds now.
   * @throws {CodecError} `BadHello` for an unusable answer, which also breaks the connection off.
   * @throws {TransportError} As {@linkcode FramedConnection.request}.
   */
  async hello(agent: string | null = null, options: RequestOptions = {}): Promise<Negotiated> {
    const sink = this.#sink;
    const reply = await this.request(
      helloFrame(FLAGS.REQ, 0, { ua: agent }, { corrId: this.#idSource.next() }),
      options,
    );
    return sink.settle(reply);
  }

  /** Closes in order: sends what is queued, ends this side, waits for the peer's end. Idempotent. */
  close(): Promise<void> {
    return this.#sink.carrier.close();
  }

  /** Same as {@linkcode FramedConnection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Made when an id is first wanted, which one that only answers never does. */
  get #idSource(): CorrIds {
    return this.#ids ??= this.#sink.options.corrIds ?? corrIds();
  }

  #consume(kind: "batches" | "onBatch"): void {
    if (this.#consumed !== undefined) {
      throw new TransportError(
        "misuse",
        `Cannot start ${kind}: the frames go to ${this.#consumed} already`,
        { op: "read" },
      );
    }
    this.#consumed = kind;
  }
}
