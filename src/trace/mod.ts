/**
 * Spans of connections and frames, by `@opentelemetry/api`, which your application brings.
 *
 * Without a tracer provider all of it does nothing. Deno registers one with `OTEL_DENO=true`.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { tracing } from "@ron/transport/trace";
 *
 * await using transport = new Transport({}, tracing().hooks());
 * ```
 *
 * @module
 */

export {
  type FrameFacts,
  type TracedFrame,
  type TracerLike,
  Tracing,
  tracing,
  type TracingOptions,
} from "./tracing.ts";
