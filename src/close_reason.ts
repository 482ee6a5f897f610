/**
 * Why a connection is over, and the errors that say so.
 *
 * @module
 */

import type { ConfigSnapshot } from "./config/config.ts";
import type { DeadlineName } from "./deadlines.ts";
import { type ErrorKind, type ErrorOrigin, TransportError } from "./errors.ts";
import type { SocketFault } from "./runtime/runtime.ts";

/** How long an orderly close, or a drain, waits when it is not told, in milliseconds. */
export const DRAIN_MS = 5_000;

/** Why a connection is over. The first cause wins, and is told once. */
export interface CloseReason {
  /** `closed`: in order. `aborted`: given up by this end. Otherwise the kind of the error. */
  readonly kind: "closed" | "aborted" | ErrorKind;
  /** Who caused it. */
  readonly by: ErrorOrigin;
  /** The codec's name of the fault in the peer's bytes. */
  readonly fault?: string;
  /** The error, unless it closed in order. */
  readonly error?: TransportError;
}

/** The error of a deadline that passed; an opening connection's is called after its role. */
export function timeoutError(
  name: DeadlineName,
  role: "dialer" | "listener",
  config: ConfigSnapshot,
): TransportError {
  const [op, ms] = bound(name, role, config);
  const what = name === "frame" ? "A frame" : `Operation ${op}`;
  return new TransportError("timeout", `${what} did not finish within ${ms} ms`, {
    op,
    origin: "remote",
  });
}

function bound(
  name: DeadlineName,
  role: "dialer" | "listener",
  config: ConfigSnapshot,
): [op: string, ms: number] {
  switch (name) {
    case "handshake":
      return role === "dialer"
        ? ["dial", config.dial_timeout]
        : ["handshake", config.handshake_timeout];
    case "read":
      return ["read", config.read_timeout];
    case "frame":
      return ["read", config.idle_timeout];
    case "write":
      return ["write", config.write_timeout];
    case "idle":
      return ["idle", config.idle_timeout];
    case "drain":
      return ["drain", DRAIN_MS];
  }
}

/**
 * The reason of a socket that closed out of turn.
 *
 * @param fault What the runtime said, if anything.
 * @param opening The role of a connection that never became usable.
 */
export function brokenOff(
  fault: SocketFault | undefined,
  opening: "dialer" | "listener" | undefined,
): CloseReason {
  const known = fault?.cause; // told by kind where it came from
  if (TransportError.is(known)) return { kind: known.kind, by: known.origin, error: known };
  const op = opening === undefined ? "read" : opening === "dialer" ? "dial" : "handshake";
  const kind: ErrorKind = fault?.type === "tls" ? "tls" : "io_closed";
  const by: ErrorOrigin = fault?.type === "system" ? "local" : "remote";
  const what = fault?.type === "tls"
    ? "The TLS handshake or a TLS record failed"
    : fault?.type === "refused"
    ? "Nothing listens there"
    : opening === undefined
    ? "The peer broke the connection off"
    : "The connection broke before it was usable";
  const detail = fault?.cause instanceof Error ? `: ${fault.cause.message}` : "";
  const error = new TransportError(kind, what + detail, { op, origin: by, cause: fault?.cause });
  return { kind, by, error };
}

/** What a consumer is told that was behind when the connection ended, and for whose bytes there was no room. */
export function leftBehind(): TransportError {
  return new TransportError(
    "busy",
    "What came before the end is dropped: nobody had taken it, and the byte budget has no room for more of connections that are over",
    { op: "read" },
  );
}
