/**
 * Shows which tests prove which invariant, and fails when one has none.
 *
 * An invariant is proved by the tests whose title, or the title of a group around them, has its id.
 * `governance/invariants.json` lists the invariants. Writes `docs/TRACEABILITY.md`; with `--check` it
 * writes nothing and tells whether that is out of date, and with `--print` it prints the table.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../test/runtimes.ts";
import { titlesOf } from "./lib/test_titles.ts";

/** Something that must always hold. */
export interface Invariant {
  readonly id: string;
  /** What holds, in a sentence. */
  readonly holds: string;
}

/** A test that names an invariant. */
export interface Proof {
  readonly file: string;
  readonly line: number;
  /** Its title with those of the groups around it. */
  readonly title: string;
}

/** Which tests name which invariant, and what is wrong with that. */
export interface Trace {
  readonly rows: readonly { readonly invariant: Invariant; readonly proofs: readonly Proof[] }[];
  readonly problems: readonly string[];
}

const DOCUMENT = "docs/TRACEABILITY.md";
const LIST = "governance/invariants.json";
const ID = /(?<![\w-])I-(?:G?\d+[a-z]?)(?![\w-])/g;

/** The invariants of a checkout. */
export function invariantsOf(root: string): Invariant[] {
  return JSON.parse(readFileSync(join(root, LIST), "utf8")) as Invariant[];
}

/** Sources of tests below a folder, each by its path from the root. */
function* testSources(root: string): Iterable<{ file: string; text: string }> {
  const names = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" });
  for (const name of names.filter((one) => one.endsWith("_test.ts")).sort()) {
    const file = `test/${name.replaceAll("\\", "/")}`;
    yield { file, text: readFileSync(join(root, file), "utf8") };
  }
}

/**
 * Traces invariants to tests.
 *
 * @param invariants What must be proved.
 * @param sources Files of tests.
 */
export function trace(
  invariants: readonly Invariant[],
  sources: Iterable<{ readonly file: string; readonly text: string }>,
): Trace {
  const found = new Map<string, Proof[]>(invariants.map(({ id }) => [id, []]));
  const problems: string[] = [];
  for (const { file, text } of sources) {
    for (const { path, never, line } of titlesOf(text)) {
      const title = path.join(" > ");
      for (const id of new Set(title.match(ID))) {
        const proofs = found.get(id);
        if (proofs === undefined) {
          problems.push(`${file}:${line}: names ${id}, which is not in ${LIST}`);
        } else if (!never) proofs.push({ file, line, title });
      }
    }
  }
  const rows = invariants.map((invariant) => ({
    invariant,
    proofs: found.get(invariant.id) ?? [],
  }));
  for (const { invariant: { id, holds }, proofs } of rows) {
    if (proofs.length === 0) problems.push(`${id} has no test: ${holds}`);
  }
  return { rows, problems };
}

/** {@linkcode trace} of a checkout. */
export function traceTree(root: string): Trace {
  return trace(invariantsOf(root), testSources(root));
}

/**
 * The table as a document. Lines of the sources are left out, as they move with every change, and columns
 * are not laid out, so that a test more changes one row.
 */
export function document({ rows }: Trace): string {
  const cells = rows.map(({ invariant: { id, holds }, proofs }) => {
    const files = new Set(proofs.map(({ file }) => file));
    return [
      id,
      holds,
      String(proofs.length),
      [...files].map((file) => `[${short(file)}](../${file})`).join(", "),
    ];
  });
  const titles = rows.flatMap(({ invariant: { id }, proofs }) => [
    `## ${id}`,
    "",
    ...proofs.map(({ file, title }) => `- ${short(file)}: ${escape(title)}`),
    "",
  ]);
  return [
    "# What must always hold, and the tests that show it",
    "",
    "Written by `deno task traceability`; `deno task ok traceability` fails when an invariant has no test",
    "or this file is out of date. A test counts when its title, or the title of a group around it, has the",
    "invariant's id. Tests that are never run do not count.",
    "",
    ...[["id", "what holds", "tests", "files"], ["-", "-", "-", "-"], ...cells].map(row),
    "",
    ...titles,
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function short(file: string): string {
  return file.replace(/^test\//, "").replace(/_test\.ts$/, "");
}

function escape(title: string): string {
  return title.replace(/[\\`*_[\]<>|#$]/g, "\\$&");
}

function print({ rows }: Trace): void {
  for (const { invariant: { id, holds }, proofs } of rows) {
    console.log(`${id.padEnd(6)} ${String(proofs.length).padStart(3)} tests  ${holds}`);
    for (const { file, line, title } of proofs) console.log(`       ${file}:${line}  ${title}`);
  }
}

function main(args: readonly string[]): number {
  const traced = traceTree(ROOT);
  if (args.includes("--print")) print(traced);
  for (const problem of traced.problems) console.log(`traceability: ${problem}`);
  const file = join(ROOT, DOCUMENT);
  const made = document(traced);
  const fresh = existsSync(file) && readFileSync(file, "utf8") === made;
  if (args.includes("--check")) {
    if (!fresh) console.log(`traceability: ${DOCUMENT} is out of date`);
  } else if (!fresh) {
    writeFileSync(file, made);
    console.log(`traceability: wrote ${DOCUMENT}`);
  }
  const proofs = traced.rows.reduce((sum, row) => sum + row.proofs.length, 0);
  const held = traced.problems.length === 0 && (fresh || !args.includes("--check"));
  if (held) console.log(`traceability: ${traced.rows.length} invariants, named by ${proofs} tests`);
  return held ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
