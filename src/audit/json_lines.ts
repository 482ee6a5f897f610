/**
 * Audit events as lines of JSON.
 *
 * @module
 */

import { type AppendFile, appendOnly } from "../runtime/host_files.ts";
import type { AuditEvent } from "./events.ts";
import type { AuditHook } from "./trail.ts";

/**
 * A hook that hands each event on as one line of JSON, with its line break.
 *
 * @param write Takes a line; while its promise is pending, the next event waits.
 *
 * @example Onto standard error
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { jsonLines } from "@ron/transport/audit";
 * import assert from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const transport = new Transport({}, { onAudit: jsonLines((line) => void lines.push(line)) });
 * transport.reload({ max_conns: 10 });
 * await new Promise((resolve) => setTimeout(resolve));
 * assert.equal(lines[0], '{"event":"TransportConfigReloaded","result":"applied","version":2}\n');
 * await transport.close();
 * ```
 */
export function jsonLines(write: (line: string) => void | Promise<void>): AuditHook {
  return (event) => write(lineOf(event));
}

/** Audit events in a file; see {@linkcode auditFile}. */
export interface AuditFile extends AsyncDisposable {
  /** The hook, for `new Transport(config, { onAudit })`. */
  readonly hook: AuditHook;
  /** Writes out what the system holds, and closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * Appends audit events to a file of JSON lines, which only its owner can read. Each line is written whole.
 *
 * @param path The file; it is made if it is not there, and never cut.
 * @throws When it cannot be opened.
 */
export async function auditFile(path: string): Promise<AuditFile> {
  const file: AppendFile = await appendOnly(path);
  const close = (): Promise<void> => file.close();
  return { hook: jsonLines((line) => file.append(line)), close, [Symbol.asyncDispose]: close };
}

/** One event as a line; the fields are in the order of their types. */
export function lineOf(event: AuditEvent): string {
  return JSON.stringify(event) + "\n";
}
