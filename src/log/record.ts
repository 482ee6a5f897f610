/**
 * What a log record is. Source: observability §4.
 *
 * @module
 */

/** How much a record matters. */
export type LogLevel = "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR";

/** The levels, the least first. */
export const LOG_LEVELS: readonly LogLevel[] = Object.freeze(
  ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] as const,
);

/** What happened. Frozen. */
export type LogEvent = "dial" | "accept" | "handshake" | "read" | "write" | "reject" | "shutdown";

/** One record. Never holds keys, tokens, capability bytes, payload or paths of keys. */
export interface LogRecord {
  /** When, ISO 8601. */
  readonly ts: string;
  /** How much it matters. */
  readonly level: LogLevel;
  /** Always `ron-transport`. */
  readonly crate: "ron-transport";
  /** What carries the bytes. */
  readonly backend: string;
  /** What happened. */
  readonly event: LogEvent;
  /** Why it was refused. */
  readonly reason?: string;
  /** The connection, as in `ConnectionInfo.id`. */
  readonly conn_id?: string;
  /** Whatever the caller gave; never made up. */
  readonly corr_id?: string;
  /** The other end; never with Tor. */
  readonly peer_addr?: string;
  /** How long it took. */
  readonly duration_ms?: number;
  /** How many bytes. */
  readonly bytes?: number;
  /** What TLS negotiated. */
  readonly pq?: string;
  /** The key-exchange group, where it is known. */
  readonly algo?: string;
  /** Free text, without secrets. */
  readonly detail?: string;
}

/**
 * Takes records. Synchronous: what it throws is counted and ignored, and what it does slowly slows the
 * transport down.
 *
 * @param record The record.
 * @param format What `log.format` asks for, for a logger that writes text itself.
 */
export type Logger = (record: LogRecord, format: "json" | "text") => void;
