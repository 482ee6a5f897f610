/**
 * A configuration file as a document with the place of each key.
 *
 * @module
 */

import type { ConfigIssue } from "./config.ts";
import { readJson } from "./json.ts";
import { readToml } from "./toml.ts";

/** A place in a text, from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** A document of a file, whose faults say where they are. */
export interface FileDocument {
  readonly document: unknown;
  readonly issues: readonly ConfigIssue[];
  /** Where a key was given, as `file:line:column`; of the table it is in where that is all there is. */
  readonly where: (path: string) => string;
}

/**
 * Reads the bytes of a configuration file. Nothing is thrown, whatever they are.
 *
 * @param file Its path, for messages; `.json` is JSON, all else is TOML.
 * @param bytes What is in it, UTF-8.
 */
export function readDocument(file: string, bytes: Uint8Array): FileDocument {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return unreadable(file, "must be UTF-8", "other bytes", "save the file as UTF-8");
  }
  const read = file.endsWith(".json") ? readJson(text) : readToml(text);
  const lines = lineStarts(text);
  const placed = (at: number): string => {
    const { line, column } = placeOf(lines, at);
    return `${file}:${line}:${column}`;
  };
  return {
    document: read.document === undefined ? {} : read.document,
    issues: read.faults.map(({ path, rule, at, instead }) => {
      return { path, rule, got: "this text", instead, source: placed(at) };
    }),
    where: (path) => {
      for (let key = path; key !== ""; key = key.slice(0, Math.max(0, key.lastIndexOf(".")))) {
        const at = read.places.get(key);
        if (at !== undefined) return placed(at);
      }
      return file;
    },
  };
}

/**
 * A file that gives no document.
 *
 * @param file Its path.
 * @param rule What it breaks.
 * @param got What was found.
 * @param instead What to do.
 */
export function unreadable(
  file: string,
  rule: string,
  got: string,
  instead: string,
): FileDocument {
  const issues = [{ path: "", rule, got, instead, source: file }];
  return { document: {}, issues, where: () => file };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function placeOf(starts: readonly number[], at: number): Place {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - starts[low]! + 1 };
}
