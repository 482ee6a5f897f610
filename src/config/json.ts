/**
 * JSON, with the place of each key and no key twice.
 *
 * `JSON.parse` takes the last of two equal keys and tells no place on every runtime, so the text is
 * gone over first; `JSON.parse` only sees what is JSON of little depth.
 *
 * @module
 */

import { MOST_DEPTH, type TextDocument, type TextFault } from "./text_document.ts";
import { TextScanner } from "./text_scanner.ts";

/**
 * Reads JSON.
 *
 * @param text The text.
 */
export function readJson(text: string): TextDocument {
  const places = new Map<string, number>();
  const faults: TextFault[] = [];
  const wrong = (rule: string, at: number, path = ""): void => {
    faults.push({ path, rule, at, instead: "correct the text there" });
  };
  const scanner = new TextScanner(text);
  scanner.skip(BLANK);
  const walk = new Walk(scanner, places, wrong);
  if (!walk.value("", 0)) return { faults, places };
  scanner.skip(BLANK);
  if (!scanner.ended) {
    wrong("must be one JSON value, with nothing after it", scanner.at);
    return { faults, places };
  }
  try {
    return { document: JSON.parse(text), faults, places };
  } catch {
    wrong("must be JSON", 0);
    return { faults, places };
  }
}

const BLANK = /[ \t\n\r]*/y;
// deno-lint-ignore no-control-regex
const UNESCAPED = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;
/** Most faults of repeated keys that are worth telling. */
const MOST_FAULTS = 100;

/** Goes over one value; false means that it is no JSON, which has been told. */
class Walk {
  readonly #scanner: TextScanner;
  readonly #places: Map<string, number>;
  readonly #wrong: (rule: string, at: number, path?: string) => void;
  #repeated = 0;

  constructor(
    scanner: TextScanner,
    places: Map<string, number>,
    wrong: (rule: string, at: number, path?: string) => void,
  ) {
    this.#scanner = scanner;
    this.#places = places;
    this.#wrong = wrong;
  }

  value(path: string, depth: number): boolean {
    const scanner = this.#scanner;
    const next = scanner.peek();
    if ((next === "{" || next === "[") && depth >= MOST_DEPTH) {
      return this.#fail(`must not nest deeper than ${MOST_DEPTH} levels`);
    }
    if (next === "{") return this.#items("}", depth, () => this.#member(path, depth + 1));
    if (next === "[") {
      let n = 0;
      return this.#items("]", depth, () => this.value(`${path}.${n++}`, depth + 1));
    }
    if (next === '"') return this.#string();
    return scanner.skip(SCALAR) !== "" || this.#fail("must be JSON: a value is missing or no JSON");
  }

  #items(close: string, depth: number, item: () => boolean): boolean {
    const scanner = this.#scanner;
    scanner.at++;
    scanner.skip(BLANK);
    if (scanner.peek() === close) {
      scanner.at++;
      return true;
    }
    for (;;) {
      scanner.skip(BLANK);
      if (!item()) return false;
      scanner.skip(BLANK);
      const next = scanner.peek();
      scanner.at++;
      if (next === close) return true;
      if (next !== ",") {
        scanner.at--;
        return this.#fail(`must be JSON: "," or "${close}" is missing at level ${depth + 1}`);
      }
    }
  }

  #member(path: string, depth: number): boolean {
    const scanner = this.#scanner;
    const at = scanner.at;
    if (scanner.peek() !== '"') {
      return this.#fail("must be JSON: a key in double quotes is missing");
    }
    if (!this.#string()) return false;
    const name = JSON.parse(scanner.since(at)) as string;
    const key = path === "" ? name : `${path}.${name}`;
    if (!this.#places.has(key)) this.#places.set(key, at);
    else if (this.#repeated++ < MOST_FAULTS) {
      this.#wrong("must be given once: JSON would take the last and hide the others", at, key);
    }
    scanner.skip(BLANK);
    if (scanner.peek() !== ":") return this.#fail('must be JSON: ":" is missing');
    scanner.at++;
    scanner.skip(BLANK);
    return this.value(key, depth);
  }

  #string(): boolean {
    const scanner = this.#scanner;
    scanner.at++;
    do scanner.skip(UNESCAPED); while (scanner.skip(ESCAPE) !== "");
    const closed = scanner.peek() === '"';
    if (!closed) return this.#fail("must be JSON: a string has no end, or holds what it may not");
    scanner.at++;
    return true;
  }

  #fail(rule: string): false {
    this.#wrong(rule, this.#scanner.at);
    return false;
  }
}
