/**
 * What `listen` throws for what a runtime throws.
 *
 * @module
 */

import { TransportError } from "./errors.ts";
import type { ReadinessReason } from "./readiness.ts";
import { TlsMaterialError, UnixSocketError } from "./runtime/runtime.ts";

/** The readiness reasons of errors that already have a kind. */
const REASONS: Readonly<Record<string, ReadinessReason>> = Object.freeze({
  bind_failed: "bind_failed",
  timeout: "bind_failed",
  arti_bootstrap: "arti_bootstrap",
});

/** The error, and the readiness reason that stays. */
export function listenError(cause: unknown, address: string): [TransportError, ReadinessReason] {
  if (TransportError.is(cause)) return [cause, REASONS[cause.kind] ?? "tls_config_missing"];
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof TlsMaterialError) {
    const what = `Certificate and key for ${address} cannot be used: ${text}`;
    return [new TransportError("tls", what, { op: "listen", cause }), "tls"];
  }
  if (cause instanceof UnixSocketError) {
    const what = `Cannot listen on ${address}: ${text}`;
    return [new TransportError(cause.kind, what, { op: "listen", cause }), "bind_failed"];
  }
  const code = (cause as { code?: unknown }).code;
  const remedy = code === "EADDRINUSE"
    ? ": the address is in use, choose another"
    : code === "EACCES"
    ? ": not permitted, choose a port above 1023"
    : "";
  const what = `Cannot listen on ${address}${remedy} (${text})`;
  return [new TransportError("bind_failed", what, { op: "listen", cause }), "bind_failed"];
}
