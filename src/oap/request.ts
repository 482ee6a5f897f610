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

/** Milliseconds until a request without an answer fails. */
const TIMEOUT_MS = 30_000;

/** Sends a frame and waits for its answer. */
export function request(sink: FramedSink, frame: Frame, options: RequestOptions): Promise<Frame> {
  const { carrier, requests, sender } = sink;
  const { signal } = options;
  const refusal = refuse(sink, frame, signal);
  if (refusal !== undefined) return Promise.reject(refusal);
  return new Promise((resolve, reject) => {
    checkFrame(frame, sender.maxFrameBytes);
    const waiting = new AbortController();
    let sent = false;
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      waiting.abort();
      sink.settled();
    };
    const giveUp = (error: unknown): void => {
      requests.remove(frame, sent);
      settle();
      reject(error);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    requests.add(frame, {
      resolve: (answer) => (settle(), resolve(answer)),
      reject: (error) => (settle(), reject(error)),
    });
    const ms = options.timeoutMs ?? sink.options.requestTimeoutMs ?? TIMEOUT_MS;
    const timer = carrier.after(ms, () =>
      giveUp(
        new TransportError("timeout", `No answer within ${ms} ms: ask again, or raise timeoutMs`, {
          op: "request",
        }),
      ));
    signal?.addEventListener("abort", onAbort, { once: true });
    const written = sender.send(frame, waiting.signal);
    sent = true;
    written.catch((error: unknown) => {
      if (!waiting.signal.aborted) giveUp(error);
    });
  });
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
    return new TransportError(
      "busy",
      `Cannot send a request while ${sink.maxInflight} wait for their answers: await one first`,
      { op: "request" },
    );
  }
  return undefined;
}
