/**
 * Small faults for source text, one at a time.
 *
 * @module
 */

/** One fault: a line that reads differently. */
export interface Mutant {
  /** Line, from 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/** What is replaced, everywhere it stands, by what. */
const OPERATORS: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/ <= /g, " < "],
  [/ < (?!.*=>\s*void)/g, " <= "],
  [/ >= /g, " > "],
  [/ > /g, " >= "],
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " / "],
  [/ \/ (?=\d)/g, " * "],
  [/ \+= /g, " -= "],
  [/ -= /g, " += "],
  [/\+\+/g, "--"],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
  [/\bMath\.min\b/g, "Math.max"],
  [/\bMath\.max\b/g, "Math.min"],
  [/(?<![\w.#"'`$])\d[\d_]*(?![\w.])/g, (n) => String(Number(n.replaceAll("_", "")) + 1)],
  [/(?<=\bif \()[^()]*(?=\))/g, (condition) => `!(${condition})`],
  [/^\s+(?:await )?[\w#.?!]+\([^{]*\);$/g, (call) => `// ${call.trim()}`],
];

/**
 * All mutants of a source, in the order of its lines. Comments, imports, types and messages have none.
 *
 * @param source TypeScript, formatted.
 */
export function mutantsOf(source: string): Mutant[] {
  const mutants: Mutant[] = [];
  let type = false;
  for (const [i, before] of source.split("\n").entries()) {
    if (/^(?:export )?(?:interface|type) /.test(before)) type = !/[;}]$/.test(before);
    else if (type && /^[}\s]*[;}]$/.test(before) && !before.startsWith("  ")) type = false;
    else if (
      !type && !/^\s*(?:\/\/|\/?\*|import |export \*|readonly #?\w+(?:\?)?: [^=]*;$)/.test(before)
    ) {
      mutants.push(...mutantsOfLine(before, i + 1));
    }
  }
  return mutants;
}

function mutantsOfLine(before: string, line: number): Mutant[] {
  const strings = [...before.matchAll(/"[^"]*"|`[^`]*`|\/\/.*$|<[A-Z][^()]*>/g)];
  const inText = (at: number): boolean =>
    strings.some(({ index, 0: text }) => at > index && at < index + text.length);
  const mutants: Mutant[] = [];
  for (const [pattern, by] of OPERATORS) {
    for (const { index, 0: found } of before.matchAll(pattern)) {
      if (inText(index)) continue;
      const with_ = typeof by === "string" ? by : by(found);
      const after = before.slice(0, index) + with_ + before.slice(index + found.length);
      if (after !== before) mutants.push({ line, before, after });
    }
  }
  return mutants;
}
