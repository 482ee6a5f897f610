/**
 * Reads the titles of tests out of their sources.
 *
 * @module
 */

import { codeOnly } from "./source.ts";

/** One registered test, as its source has it; what a template fills in is left as written. */
export interface Title {
  /** The titles of the groups around it and its own, outermost first. */
  readonly path: readonly string[];
  /** Whether it is never run, whatever the machine. */
  readonly never: boolean;
  readonly line: number;
}

interface Call {
  readonly kind: "describe" | "it";
  readonly title: string;
  readonly never: boolean;
  readonly from: number;
  readonly to: number;
}

const CALL = /(?<![.\w$])(describe|it)(\.skip)?\s*\(\s*(["'`])((?:\\[^]|(?!\3)[^\\])*)\3/g;
/** A skip without a condition. */
const SKIPPED = /^\s*,\s*\{[^{}]*\bskip:\s*(?:true\b|["'`])/;

/** The index after the bracket that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (code[i] === "(") depth++;
    else if (code[i] === ")" && --depth === 0) return i + 1;
  }
  return code.length;
}

function callsOf(text: string): Call[] {
  const code = codeOnly(text);
  const calls: Call[] = [];
  for (const match of text.matchAll(CALL)) {
    const [whole, kind, skip, , title = ""] = match;
    if (code.slice(match.index, match.index + 2).trim() === "") continue; // in a comment or a string
    const rest = text.slice(match.index + whole.length, match.index + whole.length + 400);
    calls.push({
      kind: kind as Call["kind"],
      title: title.replace(/\\(["'`\\])/g, "$1").replace(/\s+/g, " "),
      never: skip !== undefined || SKIPPED.test(rest),
      from: match.index,
      to: closing(code, text.indexOf("(", match.index)),
    });
  }
  return calls;
}

/** Every test that a source registers with a title of its own. */
export function titlesOf(text: string): Title[] {
  const calls = callsOf(text);
  return calls.filter(({ kind }) => kind === "it").map(({ title, never, from }) => {
    const around = calls.filter((one) =>
      one.kind === "describe" && one.from < from && from < one.to
    );
    return {
      path: [...around.map((one) => one.title), title],
      never: never || around.some((one) => one.never),
      line: text.slice(0, from).split("\n").length,
    };
  });
}
