/**
 * The four test runs: Deno, Bun, Node and Rust. Each gives its counts and what to show of its output.
 *
 * @module
 */

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BUILD, findRuntime, ROOT } from "../../test/runtimes.ts";
import { type Ran, run } from "./process.ts";
import {
  add,
  type Leaf,
  readBun,
  readCargo,
  readDeno,
  readNode,
  type Tally,
  tally,
} from "./report.ts";
import { msrv, newer } from "./versions.ts";

/** Name of a run. */
export type SuiteName = "deno" | "bun" | "node" | "rust";

/** What was asked on the command line. */
export interface Selection {
  /** Test files, relative to the root. */
  readonly files: readonly string[];
  /** Only tests whose name has this text, when it names no file. */
  readonly name: string | undefined;
  /** Whether examples in documentation run too. */
  readonly docs: boolean;
}

/** The outcome of one run. */
export interface SuiteResult {
  readonly suite: SuiteName;
  readonly counts: Tally;
  /** Every leaf test; of Rust the failed ones only. */
  readonly leaves: readonly Leaf[];
  /** Failed leaf tests. */
  readonly failures: readonly Leaf[];
  /** Lines for the summary: vectors, why something was left out. */
  readonly notes: readonly string[];
  readonly output: string;
  readonly ms: number;
}

/** Tests that drive npm and whole copies of the tree: slow, and the same whoever drives them. */
const DENO_ONLY = "test/packaging/";

/** All permissions, because Deno lets nothing less read /proc, where the leak check counts sockets. */
const DENO_TEST: readonly string[] = ["test", "--no-check", "--no-prompt", "--allow-all"];

const REPORTS = join(BUILD, "reports");

/** Runtimes as the tests find them, whoever starts whom. */
function toolEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ["deno", "bun", "node"] as const) {
    const path = findRuntime(name);
    if (path !== undefined) env[`RON_${name.toUpperCase()}`] = path;
  }
  return env;
}

/** Vectors that passed, as tests print them: `vectors FILE MODE COUNT`, or all in one JSON object. */
function vectorNotes(output: string): string[] {
  const sums = new Map<string, number>();
  for (const [, json = "{}"] of output.matchAll(/^[#\s]*vectors passed: (\{.*\})\s*$/gm)) {
    for (const [key, n] of Object.entries(JSON.parse(json) as Record<string, number>)) {
      sums.set(key, (sums.get(key) ?? 0) + n);
    }
  }
  for (const [, key = "", n] of output.matchAll(/^[#\s]*vectors (\S+ \S+) (\d+)\s*$/gm)) {
    sums.set(key, (sums.get(key) ?? 0) + Number(n));
  }
  if (sums.size === 0) return [];
  const total = [...sums.values()].reduce((a, b) => a + b, 0);
  return [`${total} vectors: ${[...sums].map(([key, n]) => `${key} ${n}`).join(", ")}`];
}

/** What was not there for tests that want something real, as `test/harness.ts` tells it: once each. */
function missingNotes(output: string): string[] {
  const lines = output.matchAll(/^[#\s]*(a real part is missing: .*): ".*" is skipped\s*$/gm);
  return [...new Set(Array.from(lines, ([, what = ""]) => what))];
}

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

/** A run without a proper result is a failure, whatever its report says. */
function judge(
  suite: SuiteName,
  ran: Ran,
  leaves: readonly Leaf[],
  selection: Selection,
): SuiteResult {
  let counts = tally(leaves);
  const notes = [...vectorNotes(ran.output), ...missingNotes(ran.output)];
  const failures = leaves.filter(({ outcome }) => outcome === "failed");
  if (ran.code !== 0 && failures.length === 0) {
    counts = add(counts, { ...NOTHING, failed: 1 });
    notes.push(`the runner ended with code ${ran.code} though no test failed: counted as 1 failed`);
  } else if (leaves.length === 0 && selection.name === undefined) {
    counts = add(counts, { ...NOTHING, failed: 1 });
    notes.push("the runner reported no test: counted as 1 failed");
  }
  return { suite, counts, leaves, failures, notes, output: ran.output, ms: ran.ms };
}

function report(name: string): string {
  const path = join(REPORTS, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function leftOut(suite: SuiteName, why: string): SuiteResult {
  return { suite, counts: NOTHING, leaves: [], failures: [], notes: [why], output: "", ms: 0 };
}

async function runDeno(selection: Selection): Promise<SuiteResult> {
  const files = [...selection.files];
  const args = [...DENO_TEST];
  if (selection.name !== undefined) args.push("--filter", selection.name);
  if (selection.docs) {
    args.push("--doc");
    files.push(...["mod.ts", "src", "README.md", "docs"].filter((f) => existsSync(join(ROOT, f))));
  }
  if (files.length === 0) return leftOut("deno", "no file matches");
  const ran = await run(findRuntime("deno") ?? "deno", [...args, ...files], {
    env: toolEnvironment(),
  });
  const { leaves, complete } = readDeno(ran.output);
  const judged = judge("deno", ran, leaves, selection);
  if (complete || judged.counts.failed > 0) return judged;
  const notes = [
    ...judged.notes,
    "its totals differ from the tests it listed: counted as 1 failed",
  ];
  return { ...judged, notes, counts: add(judged.counts, { ...NOTHING, failed: 1 }) };
}

function shared(selection: Selection): string[] {
  return selection.files.filter((file) => !file.startsWith(DENO_ONLY));
}

async function runBun(selection: Selection): Promise<SuiteResult> {
  const bun = findRuntime("bun");
  if (bun === undefined) {
    const ran = { code: -1, ms: 0, output: "bun: not in node_modules; run `deno install`\n" };
    return judge("bun", ran, [], selection);
  }
  const files = shared(selection).map((file) => `./${file}`);
  if (files.length === 0) return leftOut("bun", "no file matches");
  const args = ["test", "--timeout=60000", "--reporter=junit"];
  args.push(`--reporter-outfile=${join(REPORTS, "bun.xml")}`);
  if (selection.name !== undefined) args.push("-t", escape(selection.name));
  const ran = await run(bun, [...args, ...files], { env: toolEnvironment() });
  return judge("bun", ran, readBun(report("bun.xml")), selection);
}

async function runNode(selection: Selection): Promise<SuiteResult> {
  const node = findRuntime("node");
  if (node === undefined) return leftOut("node", "not run: no `node` on PATH");
  const files = shared(selection).map((file) => join(BUILD, file.replace(/\.ts$/, ".js")));
  if (files.length === 0) return leftOut("node", "no file matches");
  const args = ["--enable-source-maps", "--test"];
  args.push("--test-reporter=spec", "--test-reporter-destination=stdout");
  args.push("--test-reporter=./scripts/node_reporter.mjs");
  args.push(`--test-reporter-destination=${join(REPORTS, "node.jsonl")}`);
  if (selection.name !== undefined) args.push(`--test-name-pattern=${escape(selection.name)}`);
  const ran = await run(node, [...args, ...files], { env: toolEnvironment() });
  return judge("node", ran, readNode(report("node.jsonl")), selection);
}

async function runRust(selection: Selection): Promise<SuiteResult> {
  const version = await run("cargo", ["--version"]);
  if (version.code !== 0) {
    return leftOut("rust", "not run: no `cargo` on PATH (not needed to use it)");
  }
  const have = /\d+\.\d+(\.\d+)?/.exec(version.output)?.[0] ?? "0";
  if (newer(msrv(), have)) return leftOut("rust", `not run: cargo ${have} is older than ${msrv()}`);
  const args = [
    "test",
    "--workspace",
    "--locked",
    "--no-fail-fast",
    "--manifest-path=wasm/Cargo.toml",
  ];
  if (selection.name !== undefined) args.push(selection.name);
  const ran = await run("cargo", [...args, "--", "--show-output"]);
  const counts = readCargo(ran.output);
  const names = [...ran.output.matchAll(/^test (\S+) \.\.\. FAILED$/gm)];
  const failures = names.map(([, name = "?"]): Leaf => ({ file: "wasm", name, outcome: "failed" }));
  const judged = judge("rust", ran, failures, { ...selection, name: "" });
  const extra = ran.code !== 0 && counts.failed === 0 ? 1 : 0;
  return { ...judged, counts: { ...counts, failed: counts.failed + extra } };
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Compiles sources and tests for Node, which loads no TypeScript, and lays test data beside them. */
export async function compile(): Promise<Ran> {
  rmSync(BUILD, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const ran = await run(findRuntime("node") ?? findRuntime("bun") ?? "node", [
    tsc,
    "--project",
    "tsconfig.test.json",
  ]);
  cpSync(join(ROOT, "test"), join(BUILD, "test"), {
    recursive: true,
    filter: (path) => !/\.tsx?$/.test(path),
  });
  return ran;
}

/** The runs by name, the longest to warm up first. */
export const SUITES: Readonly<Record<SuiteName, (selection: Selection) => Promise<SuiteResult>>> = {
  rust: runRust,
  deno: runDeno,
  bun: runBun,
  node: runNode,
};
