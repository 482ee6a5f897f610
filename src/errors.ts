/**
 * One error class and its closed table of kinds.
 *
 * Callers branch on `error.kind`, never on the text. The class carries a brand, so
 * {@linkcode TransportError.is} also answers for errors of a second copy of this package.
 *
 * @module
 */

/** The kinds known to this version; see {@linkcode KINDS}. */
export type KnownKind =
  | "timeout"
  | "peer_limit"
  | "rate_limited"
  | "too_large"
  | "tls"
  | "arti_bootstrap"
  | "io_closed"
  | "busy"
  | "bind_failed"
  | "config_invalid"
  | "misuse"
  | "malformed"
  | "internal";

/** What went wrong. A later minor version may add kinds, so do not match exhaustively. */
export type ErrorKind = KnownKind | (string & Record<never, never>);

/** Why an early refusal happened: the label of `rejected_total`. Frozen. */
export type RejectReason =
  | "timeout"
  | "tls"
  | "too_large"
  | "rate_limited"
  | "peer_limit"
  | "arti_bootstrap";

/** Who caused an error: this host, the other end, or a fault of this library. */
export type ErrorOrigin = "local" | "remote" | "library";

/** Whether trying again can help: never, after a pause, or as the caller judges. */
export type RetryHint = "no" | "later" | "caller";

/** What a kind implies; the table also feeds the documentation and metric labels. */
export interface KindInfo {
  /** Label of `rejected_total`, or `undefined` where the kind is not an early refusal. */
  readonly reason: RejectReason | undefined;
  /** The default retry hint. */
  readonly retry: RetryHint;
  /** One line on the cause. */
  readonly cause: string;
}

/**
 * Every kind with its reject reason and retry hint, frozen.
 *
 * @example
 * ```ts
 * import { KINDS } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * assert.equal(KINDS.too_large.reason, "too_large");
 * assert.equal(KINDS.busy.reason, undefined);
 * ```
 */
export const KINDS: Readonly<Record<KnownKind, KindInfo>> = Object.freeze({
  timeout: info("timeout", "caller", "A deadline passed; `op` names it"),
  peer_limit: info("peer_limit", "later", "No free slot for a connection or a handshake"),
  rate_limited: info("rate_limited", "later", "A token bucket is empty"),
  too_large: info("too_large", "no", "A frame, a window or inflated bytes pass their ceiling"),
  tls: info("tls", "no", "The TLS handshake or its material is not acceptable"),
  arti_bootstrap: info("arti_bootstrap", "later", "Tor has not bootstrapped yet"),
  io_closed: info(undefined, "caller", "The peer closed or reset the connection"),
  busy: info(undefined, "caller", "A queue of this connection is full"),
  bind_failed: info(undefined, "no", "The address cannot be listened on"),
  config_invalid: info(undefined, "no", "A configuration value is not legal"),
  misuse: info(undefined, "no", "The API was called in a way it does not allow"),
  malformed: info(undefined, "no", "Bytes of the peer break the OAP or compression format"),
  internal: info(undefined, "no", "An invariant of this library does not hold"),
});

function info(reason: RejectReason | undefined, retry: RetryHint, cause: string): KindInfo {
  return Object.freeze({ reason, retry, cause });
}

/** What a {@linkcode TransportError} is made of, beside its message. */
export interface TransportErrorOptions {
  /** The operation that failed, such as `dial`, `handshake`, `read`, `write` or `decode`. */
  op: string;
  /** Who caused it. @default {"local"} */
  origin?: ErrorOrigin;
  /** Overrides the kind's retry hint. */
  retry?: RetryHint;
  /** The error underneath, if any. */
  cause?: unknown;
}

/** A {@linkcode TransportError} as plain data, safe for `postMessage` and JSON. */
export interface TransportErrorData {
  /** Same as the error's. */
  kind: ErrorKind;
  /** Same as the error's. */
  op: string;
  /** Same as the error's. */
  origin: ErrorOrigin;
  /** Same as the error's. */
  retry: RetryHint;
  /** Same as the error's. */
  message: string;
}

const BRAND: unique symbol = Symbol.for("ron-transport.TransportError") as never;

/**
 * The only error class this library throws or rejects with.
 *
 * Its message says what was wanted, what was given, the bound, and what to do.
 *
 * @example Branching on the kind
 * ```ts
 * import { Transport, TransportError } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * try {
 *   new Transport({ limits: { max_frame_bytes: "2MiB" } });
 * } catch (error) {
 *   assert.ok(TransportError.is(error));
 *   assert.equal(error.kind, "config_invalid");
 * }
 * ```
 */
export class TransportError extends Error {
  /** What went wrong, from a closed table. */
  readonly kind: ErrorKind;
  /** The operation that failed. */
  readonly op: string;
  /** Who caused it. */
  readonly origin: ErrorOrigin;
  /** Whether trying again can help. */
  readonly retry: RetryHint;
  /** A finer name within the kind, where it has some: the codec's faults. */
  readonly fault?: string;

  /**
   * Makes an error of a kind.
   *
   * @param kind What went wrong.
   * @param message What was wanted, what was given, the bound and the remedy.
   * @param options The operation, and who caused it.
   */
  constructor(kind: ErrorKind, message: string, options: TransportErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TransportError";
    this.kind = kind;
    this.op = options.op;
    this.origin = options.origin ?? "local";
    this.retry = options.retry ?? kindInfo(kind)?.retry ?? "no";
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The error as plain data: what `JSON.stringify` and structured clone can carry. */
  toJSON(): TransportErrorData {
    return {
      kind: this.kind,
      op: this.op,
      origin: this.origin,
      retry: this.retry,
      message: this.message,
    };
  }

  /**
   * Whether a caught value is a {@linkcode TransportError}, of this or another copy of the package.
   *
   * @param value Anything caught.
   * @returns `true` if `value.kind` can be relied on.
   */
  static is(value: unknown): value is TransportError {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /**
   * Turns anything caught into a {@linkcode TransportError}; one that is, is returned as it is.
   *
   * @param value Anything caught, or {@linkcode TransportErrorData}.
   * @param kind The kind to give a value that has none.
   * @param options The operation, and who caused it.
   * @returns An error whose `cause` is the value.
   */
  static from(value: unknown, kind: ErrorKind, options: TransportErrorOptions): TransportError {
    if (TransportError.is(value)) return value;
    const text = value instanceof Error ? value.message : String(value);
    return new TransportError(kind, text, { ...options, cause: options.cause ?? value });
  }
}

/**
 * The label of `rejected_total` that a kind counts under.
 *
 * @param kind An error's kind.
 * @returns The label, or `undefined` where the kind is not an early refusal.
 *
 * @example
 * ```ts
 * import { rejectReason } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * assert.equal(rejectReason("too_large"), "too_large");
 * assert.equal(rejectReason("malformed"), undefined);
 * ```
 */
export function rejectReason(kind: ErrorKind): RejectReason | undefined {
  return kindInfo(kind)?.reason;
}

function kindInfo(kind: ErrorKind): KindInfo | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind as KnownKind] : undefined;
}

/** An error of a caller who asked for what cannot be now. */
export function misuse(op: string, why: string): TransportError {
  return new TransportError("misuse", `Cannot ${op}: ${why}`, { op });
}
