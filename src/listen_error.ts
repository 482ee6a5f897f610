/**
 * What `listen` throws for what a runtime throws.
 *
 * @module
 */

import { TransportError } from "./errors.ts";
import type { ReadinessReason } from "./readiness.ts";
import { TlsMaterialError } from "./runtime/runtime.ts";

/** The error, and the readiness reason that stays. */
export function listenError(cause: unknown, address: string): [TransportError, ReadinessReason] {
  if (TransportError.is(cause)) return [cause, "tls_config_missing"];
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof TlsMaterialError) {
    const what = `Certificate and key for ${address} cannot be used: ${text}`;
    return [new TransportError("tls", what, { op: "listen", cause }), "tls"];
  }
  const code = (cause as { code?: unknown }).code;
  const remedy = code === "EADDRINUSE"
    ? ": the port is in use, choose another or 0"
    : code === "EACCES"
    ? ": not permitted, choose a port above 1023"
    : "";
  const what = `Cannot listen on ${address}${remedy} (${text})`;
  return [new TransportError("bind_failed", what, { op: "listen", cause }), "bind_failed"];
}
