/**
 * From what hooks tell to spans.
 *
 * @module
 */

import {
  type Attributes,
  type Context,
  context,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { type FrameLabel, frameLabel } from "../oap/label.ts";
import type { Frame } from "../oap/frame.ts";
import type { ConnectionClosed, TransportHooks } from "../options.ts";
import { connectionSpans } from "./connection_spans.ts";

/** The part of a `Tracer` of `@opentelemetry/api` that says which one it is; give one of these. */
export interface TracerLike {
  /** Starts a span. */
  startSpan(name: string, options?: never, context?: never): unknown;
}

/** Options of {@linkcode tracing}. */
export interface TracingOptions {
  /** Makes the spans. @default The global provider's, under the name `ron-transport`. */
  tracer?: TracerLike;
  /** First part of the names of frame spans, such as the name of your service. @default {"ron"} */
  prefix?: string;
  /** Whether spans have the address of the other end; never over Tor. @default {true} */
  peerAddress?: boolean;
}

/** What of a frame goes into its span: never its payload or capability. */
export type TracedFrame = Pick<Frame, "flags" | "code" | "appProtoId" | "payload">;

/** What only the caller knows of a frame. */
export interface FrameFacts {
  /** Its number in its stream. */
  readonly seq?: number;
  /** Whether it carries an object. */
  readonly objPresent?: boolean;
  /** Up to which frame it acknowledges. */
  readonly ackUpTo?: number;
}

/** See {@linkcode tracing}. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #prefix: string;
  readonly #peerAddress: boolean;

  /** @internal Made by {@linkcode tracing}. */
  constructor(options: TracingOptions) {
    this.#tracer = (options.tracer as Tracer | undefined) ?? trace.getTracer("ron-transport");
    this.#prefix = options.prefix ?? "ron";
    this.#peerAddress = options.peerAddress ?? true;
  }

  /**
   * Hooks for a transport: yours, and with them spans. Each connection gives `transport.conn`, and below it
   * `transport.handshake`, `transport.read` and `transport.write`, when it closes: the data path pays
   * nothing for them. Reading and writing are one span each, with all their bytes.
   *
   * @param hooks Hooks of your own; they are called as before.
   * @returns New hooks.
   */
  hooks(hooks: TransportHooks = {}): TransportHooks {
    const { onConnectionClosed } = hooks;
    return {
      ...hooks,
      onConnectionClosed: (event: ConnectionClosed): void => {
        try {
          connectionSpans(this.#tracer, event, this.#peerAddress);
        } finally {
          onConnectionClosed?.(event);
        }
      },
    };
  }

  /**
   * Runs what decodes or handles a frame in a span `PREFIX.oap.decode_frame`; spans made in it are below.
   *
   * @param frame The frame.
   * @param run Called at once.
   * @param facts What the frame itself does not tell.
   * @returns What `run` returns; a promise ends the span when it settles.
   * @throws What `run` throws; the span has it.
   */
  decode<T>(frame: TracedFrame, run: () => T, facts: FrameFacts = {}): T {
    return this.#frame("decode_frame", frame, run, facts);
  }

  /** The same for what encodes or sends one, in `PREFIX.oap.encode_frame`. */
  encode<T>(frame: TracedFrame, run: () => T, facts: FrameFacts = {}): T {
    return this.#frame("encode_frame", frame, run, facts);
  }

  #frame<T>(what: string, frame: TracedFrame, run: () => T, facts: FrameFacts): T {
    const parent: Context = context.active();
    const attributes = frameAttributes(frame, facts);
    const span = this.#tracer.startSpan(`${this.#prefix}.oap.${what}`, { attributes }, parent);
    const failed = (error: unknown): void => {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    };
    let result: T;
    try {
      result = context.with(trace.setSpan(parent, span), run);
    } catch (error) {
      failed(error);
      throw error;
    }
    if (result instanceof Promise) result.then(() => span.end(), failed);
    else span.end();
    return result;
  }
}

/**
 * Spans of connections, by hooks, and of frames, around what you do with them.
 *
 * @param options Tracer and names.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { FLAGS } from "@ron/transport/oap";
 * import { tracing } from "@ron/transport/trace";
 * import assert from "node:assert/strict";
 *
 * const spans = tracing({ prefix: "orders" });
 * await using transport = new Transport({}, spans.hooks());
 * const frame = { flags: FLAGS.REQ, code: 0, appProtoId: 7, payload: new Uint8Array(3) };
 * assert.equal(spans.decode(frame, () => frame.payload.length), 3);
 * ```
 */
export function tracing(options: TracingOptions = {}): Tracing {
  return new Tracing(options);
}

function frameAttributes(frame: TracedFrame, { seq, objPresent, ackUpTo }: FrameFacts): Attributes {
  const kind: FrameLabel = frameLabel(frame);
  return {
    frame_kind: kind,
    len: frame.payload.length,
    ...(seq === undefined ? {} : { seq }),
    ...(objPresent === undefined ? {} : { obj_present: objPresent }),
    ...(ackUpTo === undefined ? {} : { ack_up_to: ackUpTo }),
  };
}
