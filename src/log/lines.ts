/**
 * Records as lines of text: whatever a stranger puts into a field, a record is one line.
 *
 * @module
 */

import type { Logger, LogRecord } from "./record.ts";

/** Longest text of one field, in UTF-16 units; the rest is cut off. */
const FIELD_CHARS = 256;

/**
 * A logger that writes each record as one line, JSON or text as `log.format` says.
 *
 * @param write Takes a line with its line break.
 * @returns The logger.
 *
 * @example
 * ```ts
 * import { lineLogger, Transport } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const transport = new Transport({}, { logger: lineLogger((line) => lines.push(line)) });
 * await transport.drain();
 * assert.equal(JSON.parse(lines[0]!).event, "shutdown");
 * ```
 */
export function lineLogger(write: (line: string) => void): Logger {
  return (record, format) => write(format === "json" ? jsonLine(record) : textLine(record));
}

/** A record as one JSON object and a line break. */
export function jsonLine(record: LogRecord): string {
  const fields = Object.entries(record).map(([key, value]) => [key, bounded(value)]);
  // JSON leaves these two as they are, and some readers take them for line breaks.
  const text = JSON.stringify(Object.fromEntries(fields)).replace(
    /[\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16)}`,
  );
  return `${text}\n`;
}

/** A record as `time LEVEL event key=value …` and a line break, for people. */
export function textLine({ ts, level, crate: _crate, event, ...rest }: LogRecord): string {
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${plain(bounded(value))}`);
  return `${ts} ${level.padEnd(5)} ${event}${fields.join("")}\n`;
}

function bounded(value: unknown): unknown {
  if (typeof value !== "string" || value.length <= FIELD_CHARS) return wellFormed(value);
  return wellFormed(`${value.slice(0, FIELD_CHARS - 3)}...`);
}

/** Without halves of surrogate pairs, which no encoding can carry. */
function wellFormed(value: unknown): unknown {
  return typeof value === "string"
    ? value.replace(
      /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
      "\uFFFD",
    )
    : value;
}

/** As it is where that is harmless, else quoted: no control character reaches a terminal. */
function plain(value: unknown): string {
  const text = String(value);
  if (/^[A-Za-z0-9_.:/+[\]-]+$/.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
