/**
 * Reads the reports of the three test runners into one form: leaf tests, each with its file.
 *
 * @module
 */

/** How one test ended. */
export type Outcome = "passed" | "failed" | "skipped";

/** One test that has no tests inside. */
export interface Leaf {
  readonly file: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** Why it was skipped, where the runner tells. */
  readonly why?: string;
}

/** Leaf tests by outcome. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Case {
  readonly suite: string;
  readonly file: string | undefined;
  readonly name: string;
  readonly outcome: Outcome;
}

/** Counts outcomes. */
export function tally(leaves: readonly Leaf[]): Tally {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of leaves) count[outcome]++;
  return count;
}

/** Adds two counts. */
export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The closing line. */
export function line({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function unescape(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, dec, hex, name) => {
    if (dec !== undefined) return String.fromCodePoint(Number(dec));
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    return named[name] ?? whole;
  });
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return match?.[1] === undefined ? undefined : unescape(match[1]);
}

/** Test cases of a JUnit file in document order; names hold the enclosing suites inside a file. */
function cases(xml: string): Case[] {
  const found: Case[] = [];
  const suites: string[] = [];
  const pattern = /<(\/?)(testsuite|testcase|failure|error|skipped)\b([^>]*?)(\/?)>/g;
  let open: { tag: string; outcome: Outcome } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const name = attribute(open.tag, "name") ?? "?";
    found.push({
      suite: suites[0] ?? "?",
      file: attribute(open.tag, "file"),
      name: [...suites.slice(1), name].join(" > "),
      outcome: open.outcome,
    });
    open = undefined;
  };
  for (const [, slash, kind, tag = "", empty] of xml.matchAll(pattern)) {
    if (kind === "testsuite") {
      if (slash === "/") suites.pop();
      else if (empty !== "/") suites.push(attribute(tag, "name") ?? "?");
    } else if (kind === "testcase") {
      if (slash === "/") close();
      else {
        open = { tag, outcome: "passed" };
        if (empty === "/") close();
      }
    } else if (slash !== "/" && open !== undefined) {
      open.outcome = kind === "skipped" ? "skipped" : "failed";
    }
  }
  return found;
}

/** Reads Bun's report, where suites nest and every test case is a leaf. */
export function readBun(xml: string): Leaf[] {
  return cases(xml).map(({ suite, file, name, outcome }) => ({
    file: file ?? suite,
    name,
    outcome,
  }));
}

/** What Deno printed, read; `complete` is false when its own totals do not agree with the lines. */
export interface DenoReport {
  readonly leaves: readonly Leaf[];
  readonly complete: boolean;
}

const DENO_RESULT = /^( *)(.*) \.\.\. (ok|FAILED|ignored)(?: \(.*\))?$/;

/** What Deno prints within the line of a test that runs for more than a minute. */
const SLOW_NOTICE = /(?<= \.\.\.|^)'.*' has been running for over \(.*\)\n/gm;

/**
 * Reads Deno's own listing: its JUnit file gives nested tests neither file nor order.
 *
 * A result follows those of its members, which are indented more; so a result that is indented less
 * than the one before it is a group, and any other is a leaf.
 */
export function readDeno(printed: string): DenoReport {
  const output = printed.replace(SLOW_NOTICE, "");
  const leaves: Leaf[] = [];
  const path: string[] = [];
  let file = "?";
  let depth = 0;
  let results = 0;
  let printing = false;
  for (const text of output.split("\n")) {
    if (text === "------- output -------" || text === "----- output end -----") {
      printing = text.startsWith("------- ");
      continue;
    }
    if (printing) continue;
    if (/^ (ERRORS|FAILURES) $/.test(text)) break;
    const start = /^running \d+ tests? from (.*)$/.exec(text);
    if (start?.[1] !== undefined) {
      file = start[1].replace(/^\.\//, "");
      depth = 0;
      continue;
    }
    const opener = /^( *)(\S.*) \.\.\.$/.exec(text);
    if (opener?.[1] !== undefined && opener[2] !== undefined) {
      path.length = opener[1].length / 2;
      path.push(opener[2]);
      continue;
    }
    const [, indent = "", title = "?", word = ""] = DENO_RESULT.exec(text) ?? [];
    if (word === "") continue;
    results++;
    const level = indent.length / 2;
    const group = level < depth;
    depth = level;
    if (group) continue;
    const outcome = word === "ok" ? "passed" : word === "FAILED" ? "failed" : "skipped";
    leaves.push({ file, name: [...path.slice(0, level), title].join(" > "), outcome });
  }
  return { leaves, complete: results === denoTotal(output) };
}

/** Sum of Deno's closing line, groups and leaves alike; -1 when there is none. */
function denoTotal(output: string): number {
  const closing = /^(?:ok|FAILED) \| .*$/m.exec(output)?.[0];
  if (closing === undefined) return -1;
  const counts = closing.replace(/ \([\d.]+(?:ms|s|m)[^)]*\)$/, "").matchAll(/(\d+) (?!filtered)/g);
  return [...counts].reduce((sum, [, n]) => sum + Number(n), 0);
}

/** Reads the lines that `node_reporter.mjs` writes. */
export function readNode(text: string): Leaf[] {
  return text.split("\n").filter((l) => l !== "").map((l) => JSON.parse(l) as Leaf);
}

/** Reads cargo's `test result:` lines, one for each test binary. */
export function readCargo(output: string): Tally {
  let sum: Tally = { passed: 0, failed: 0, skipped: 0 };
  const pattern = /^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm;
  for (const [, passed, failed, skipped] of output.matchAll(pattern)) {
    sum = add(sum, { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) });
  }
  return sum;
}
