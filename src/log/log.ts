/**
 * What a transport writes into its log.
 *
 * @module
 */

import type { Address } from "../address.ts";
import type { CloseReason } from "../close_reason.ts";
import type { ConfigSnapshot } from "../config/config.ts";
import type { ConnectionInfo } from "../connection.ts";
import { type ErrorKind, rejectReason, TransportError } from "../errors.ts";
import { LOG_LEVELS, type LogEvent, type Logger, type LogLevel, type LogRecord } from "./record.ts";

type Fields = Omit<LogRecord, "ts" | "level" | "crate" | "event" | "backend">;

/** See the module. Costs a comparison where there is no logger, or the level is not wanted. */
export class Log {
  readonly #logger: Logger | undefined;
  readonly #config: () => ConfigSnapshot;
  readonly #onFailure: () => void;

  /** @param logger The host's. @param config The level and the format now. @param onFailure Counts a logger that threw. */
  constructor(
    logger: Logger | undefined,
    config: () => ConfigSnapshot,
    onFailure: () => void,
  ) {
    this.#logger = logger;
    this.#config = config;
    this.#onFailure = onFailure;
  }

  /** Whether records of a level are wanted: ask before making costly fields. */
  wants(level: LogLevel): boolean {
    return this.#logger !== undefined && rank(level) >= rank(this.#config().log.level);
  }

  /** Writes a record. */
  write(level: LogLevel, event: LogEvent, backend: string, fields: Fields = {}): void {
    if (!this.wants(level)) return;
    const ts = new Date().toISOString();
    const record = Object.freeze({
      ts,
      level,
      crate: "ron-transport" as const,
      backend,
      event,
      ...fields,
    });
    try {
      this.#logger!(record, this.#config().log.format);
    } catch {
      this.#onFailure();
    }
  }

  /** A refusal before there was a connection. */
  rejected(kind: ErrorKind, backend: string, fields: Fields): void {
    this.write("INFO", "reject", backend, { reason: rejectReason(kind) ?? kind, ...fields });
  }

  /** A dial gave a connection. */
  dialled(address: Address, id: string): void {
    this.write("INFO", "dial", address.transport!, { conn_id: id });
  }

  /** A dial failed. What it says of the target is the caller's to know, and nobody's with Tor. */
  dialFailed(address: Address, error: unknown): void {
    const reason = TransportError.is(error) ? rejectReason(error.kind) ?? error.kind : "aborted";
    const detail = error instanceof Error ? detailOf(error, address.transport!) : {};
    this.write("WARN", "dial", address.transport!, { reason, ...detail });
  }

  /** Accepting failed for a reason of the system, such as no free descriptor. */
  acceptFault(backend: string, cause: unknown): void {
    const code = (cause as { code?: unknown } | null)?.code;
    this.write("WARN", "accept", backend, typeof code === "string" ? { detail: code } : {});
  }

  /** A connection is usable. */
  opened(info: ConnectionInfo, durationMs: number): void {
    const level = "DEBUG";
    if (!this.wants(level)) return;
    this.write(level, "handshake", info.backend, {
      ...factsOf(info),
      duration_ms: rounded(durationMs),
    });
  }

  /** A connection is over. */
  closed(info: ConnectionInfo, reason: CloseReason, durationMs: number, bytes: number): void {
    const { kind, error } = reason;
    const refused = error === undefined ? undefined : rejectReason(error.kind);
    const level = refused !== undefined ? "INFO" : "DEBUG";
    if (!this.wants(level)) return;
    this.write(level, refused === undefined ? "shutdown" : "reject", info.backend, {
      reason: refused ?? kind,
      ...factsOf(info),
      duration_ms: rounded(durationMs),
      bytes,
      ...(error === undefined ? {} : detailOf(error, info.backend)),
    });
  }
}

/**
 * What an error says. With Tor only the name of its cause: the text of another's error, as of a certificate
 * that is for another name, may tell whom somebody dialled.
 */
function detailOf({ message, cause }: Error, backend: string): Fields {
  if (backend !== "arti") return { detail: message };
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? { detail: code } : {};
}

function factsOf({ id, backend, remote, tls }: ConnectionInfo): Fields {
  return {
    conn_id: id,
    ...(remote === undefined || backend === "arti" ? {} : {
      peer_addr: `${
        remote.hostname.includes(":") ? `[${remote.hostname}]` : remote.hostname
      }:${remote.port}`,
    }),
    ...(tls === undefined
      ? {}
      : { pq: tls.pq, ...(tls.group === undefined ? {} : { algo: tls.group }) }),
  };
}

function rank(level: string): number {
  return (LOG_LEVELS as readonly string[]).indexOf(level.toUpperCase());
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
