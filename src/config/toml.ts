/**
 * TOML, with the place of each key.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import { MOST_DEPTH, type TextDocument } from "./text_document.ts";
import { TextScanner } from "./text_scanner.ts";

/**
 * Reads TOML.
 *
 * @param text The text.
 */
export function readToml(text: string): TextDocument {
  try {
    const document = parse(text, { maxDepth: MOST_DEPTH, integersAsBigInt: "asNeeded" });
    return { document, faults: [], places: keyPlaces(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message goes on with lines of the file, which can hold a secret.
    const [first = ""] = error.message.split("\n", 1);
    const rule = `must be TOML: ${first.replace("Invalid TOML document: ", "").slice(0, 120)}`;
    const at = offsetOf(text, error.line, error.column);
    return {
      faults: [{ path: "", rule, at, instead: "correct the text there" }],
      places: new Map(),
    };
  }
}

function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let n = 1; n < line; n++) at = text.indexOf("\n", at) + 1;
  return at + column - 1;
}

/** Where the keys are in a text that is TOML; those within inline tables are left out. */
function keyPlaces(text: string): Map<string, number> {
  const places = new Map<string, number>();
  const scanner = new TextScanner(text);
  let table: readonly string[] = [];
  for (;;) {
    scanner.skip(BETWEEN);
    if (scanner.ended) return places;
    if (scanner.peek() === "#") {
      scanner.skip(LINE);
      continue;
    }
    const at = scanner.at;
    if (scanner.peek() === "[") {
      scanner.skip(OPENING);
      table = dottedKey(scanner);
      scanner.skip(LINE);
      note(places, table, at);
    } else {
      note(places, [...table, ...dottedKey(scanner)], at);
      skipValue(scanner);
    }
  }
}

const BETWEEN = /[\s\ufeff]*/y;
const LINE = /[^\n]*/y;
const OPENING = /\[+[ \t]*/y;
const DOT = /[ \t]*\.[ \t]*/y;
const BARE = /[A-Za-z0-9_-]*/y;
/** All that ends no value and opens nothing. */
const PLAIN = /[^"'[\]{}#\n]*/y;

/** Deeper keys are of no table we have: their own table's place is enough. */
function note(places: Map<string, number>, path: readonly string[], at: number): void {
  const key = path.slice(0, MOST_DEPTH).join(".");
  if (!places.has(key)) places.set(key, at);
}

function dottedKey(scanner: TextScanner): string[] {
  const parts: string[] = [];
  do {
    const part = namePart(scanner);
    if (parts.length < MOST_DEPTH) parts.push(part);
  } while (scanner.skip(DOT) !== "");
  return parts;
}

/** Escapes stay as they are: close enough for a place, as no key of ours needs one. */
function namePart(scanner: TextScanner): string {
  if (scanner.peek() !== '"' && scanner.peek() !== "'") return scanner.skip(BARE);
  const start = scanner.at;
  scanner.string();
  return scanner.since(start).slice(1, -1);
}

/** To the end of the line on which the value ends. */
function skipValue(scanner: TextScanner): void {
  let depth = 0;
  for (;;) {
    scanner.skip(PLAIN);
    const next = scanner.peek();
    if (next === "") return;
    if (next === '"' || next === "'") scanner.string();
    else if (next === "#") scanner.skip(LINE);
    else {
      if (next === "[" || next === "{") depth++;
      else if (next === "]" || next === "}") depth--;
      else if (depth === 0) return;
      scanner.at++;
    }
  }
}
