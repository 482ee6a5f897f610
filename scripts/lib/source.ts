/**
 * Reads TypeScript just far enough to know its imports and identifiers, without a compiler.
 *
 * @module
 */

/** One import of a module. */
export interface Import {
  readonly specifier: string;
  /** Whether it is erased: `import type` or `export type`. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** What a stretch of a text is. */
type Kind = "code" | "string" | "template" | "comment";

const REGEXP_BEFORE = /(?:^|[([{,;=:!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await))\s*$/;

function endOfQuoted(text: string, from: number): number {
  const quote = text[from];
  let i = from + 1;
  while (i < text.length && text[i] !== quote && text[i] !== "\n") i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

function endOfRegExp(text: string, from: number): number {
  let i = from + 1;
  for (let inClass = false; i < text.length && text[i] !== "\n"; i++) {
    const c = text[i];
    if (c === "\\") i++;
    else if (c === "[") inClass = true;
    else if (c === "]") inClass = false;
    else if (c === "/" && !inClass) break;
  }
  return i + 1;
}

/** Calls `take` for each stretch of one kind; a template literal's `${…}` is code again. */
function scan(text: string, take: (from: number, to: number, kind: Kind) => void): void {
  const templates: number[] = []; // depth of braces inside each open `${`
  let start = 0;
  let i = 0;
  const flush = (to: number, kind: Kind, end: number): void => {
    if (to > start) take(start, to, "code");
    take(to, end, kind);
    start = end;
    i = end;
  };
  const template = (from: number): void => {
    let end = from;
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end)) {
      end += text[end] === "\\" ? 2 : 1;
    }
    const opens = text.startsWith("${", end);
    flush(from, "template", Math.min(end + (opens ? 2 : 1), text.length));
    if (opens) templates.push(0);
  };
  while (i < text.length) {
    const c = text[i];
    const depth = templates.at(-1);
    if (text.startsWith("//", i)) {
      const end = text.indexOf("\n", i);
      flush(i, "comment", end === -1 ? text.length : end);
    } else if (text.startsWith("/*", i)) {
      const end = text.indexOf("*/", i + 2);
      flush(i, "comment", end === -1 ? text.length : end + 2);
    } else if (c === '"' || c === "'") flush(i, "string", endOfQuoted(text, i));
    else if (c === "`") {
      flush(i, "template", i + 1);
      template(i);
    } else if (c === "/" && REGEXP_BEFORE.test(text.slice(Math.max(0, i - 20), i))) {
      flush(i, "string", endOfRegExp(text, i));
    } else if (c === "}" && depth === 0) {
      templates.pop();
      flush(i, "template", i + 1);
      template(i);
    } else {
      if (depth !== undefined && c === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && c === "}") templates[templates.length - 1] = depth - 1;
      i++;
    }
  }
  if (start < text.length) take(start, text.length, "code");
}

function blank(text: string, kinds: readonly Kind[]): string {
  let result = "";
  scan(text, (from, to, kind) => {
    const part = text.slice(from, to);
    result += kinds.includes(kind) ? part.replace(/[^\n]/g, " ") : part;
  });
  return result;
}

/** The text with comments and the contents of strings replaced by spaces; lines stay in place. */
export function codeOnly(text: string): string {
  return blank(text, ["comment", "string", "template"]);
}

const STATIC = /\b(?:import|export)\s+(type\s+)?(?:[\w$*{][^;"'`]*?\sfrom\s*)?(["'])([^"'\n]+)\2/g;
const DYNAMIC = /\bimport\s*\(\s*(["'])([^"'\n]+)\1/g;

/** Every import and re-export of a module, static or dynamic, of values or types. */
export function importsOf(text: string): Import[] {
  const code = blank(text, ["comment", "template"]);
  const found: Import[] = [];
  const lineAt = (index: number): number => code.slice(0, index).split("\n").length;
  for (const { 1: type, 3: specifier = "", index } of code.matchAll(STATIC)) {
    found.push({ specifier, typeOnly: type !== undefined, line: lineAt(index) });
  }
  for (const { 2: specifier = "", index } of code.matchAll(DYNAMIC)) {
    found.push({ specifier, typeOnly: false, line: lineAt(index) });
  }
  return found;
}
