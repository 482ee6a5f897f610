/**
 * One request: sent, answered or given up.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { checkFrame } from "./encoder.ts";
import { FLAGS, type Frame } from "./frame.ts";
import type { RequestOptions } from "./framed_options.ts";
import type { FramedSink } from "./framed_sink.ts";
import type { Pending } from "./requests.ts";

/** Milliseconds until a request without an answer fails. */
const TIMEOUT_MS = 30_000;

/** Sends a frame and waits for its answer. */
export function request(sink: FramedSink, frame: Frame, options: RequestOptions): Promise<Frame> {
  const refusal = refuse(sink, frame, options.signal);
  if (refusal !== undefined) return Promise.reject(refusal);
  return new Promise((resolve, reject) => {
    const ms = options.timeoutMs ?? sink.options.requestTimeoutMs ?? TIMEOUT_MS;
    const waiting = new Waiting(sink, frame, ms, options.signal, resolve, reject);
    try {
      waiting.start();
    } catch (error) {
      waiting.giveUp(error);
    }
  });
}

/** A request until it is settled. One object, and no closure or signal besides, where the frame has room at once. */
class Waiting implements Pending {
  readonly until: number;
  readonly #sink: FramedSink;
  readonly #frame: Frame;
  readonly #ms: number;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (frame: Frame) => void;
  readonly #reject: (error: unknown) => void;
  /** Ends the wait for room. */
  #room: AbortController | undefined = undefined;
  #added = false;
  #sent = false;
  #over = false;

  constructor(
    sink: FramedSink,
    frame: Frame,
    ms: number,
    signal: AbortSignal | undefined,
    resolve: (frame: Frame) => void,
    reject: (error: unknown) => void,
  ) {
    this.until = sink.carrier.now() + ms;
    this.#sink = sink;
    this.#frame = frame;
    this.#ms = ms;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Queues the frame, or waits for room. @throws What the frame breaks, or why nothing can be sent. */
  start(): void {
    const { requests, sender } = this.#sink;
    checkFrame(this.#frame, sender.maxFrameBytes);
    requests.add(this.#frame, this);
    this.#added = true;
    this.#signal?.addEventListener("abort", this, { once: true });
    const done = sender.isSmall(this.#frame) ? undefined : (error: unknown): void => {
      if (error !== undefined) this.giveUp(error);
    };
    this.#sent = true; // a refused one may go out as soon as there is room
    if (sender.offer(this.#frame, done)) return;
    this.#room = new AbortController();
    sender.sendLater(this.#frame, this.#room.signal).catch((error: unknown) => this.giveUp(error));
  }

  resolve(answer: Frame): void {
    if (this.#settle()) this.#resolve(answer);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  expire(): void {
    this.giveUp(
      new TransportError(
        "timeout",
        `No answer within ${this.#ms} ms: ask again, or raise timeoutMs`,
        { op: "request" },
      ),
    );
  }

  /** No answer is waited for any longer. */
  giveUp(error: unknown): void {
    if (this.#over) return;
    if (this.#added) this.#sink.requests.remove(this.#frame, this.#sent);
    this.reject(error);
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.giveUp(this.#signal?.reason);
  }

  #settle(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#signal?.removeEventListener("abort", this);
    this.#room?.abort();
    this.#sink.settled();
    return true;
  }
}

function refuse(sink: FramedSink, frame: Frame, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if ((frame.flags & FLAGS.REQ) === 0) {
    return new TransportError(
      "misuse",
      `Cannot request with flags ${frame.flags}: REQ is missing`,
      { op: "request" },
    );
  }
  if (sink.carrier.outbox.failure !== undefined) return sink.carrier.outbox.failure;
  if (sink.requests.size >= sink.maxInflight) {
    sink.counters.busy++;
    return new TransportError(
      "busy",
      `Cannot send a request while ${sink.maxInflight} wait for their answers: await one first`,
      { op: "request" },
    );
  }
  return undefined;
}
