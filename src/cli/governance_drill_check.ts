/**
 * The drill against the check that merges pass: the same insider edits a copy of the checkout.
 *
 * @module
 */

import { entryText, LOG_FILE, nextId, parseLog } from "../governance/log.ts";
import { join, linkPath, readText, writeText } from "../runtime/host_files.ts";
import { runProgram } from "../runtime/host_run.ts";
import { TransportError } from "../errors.ts";
import type { Parsed, Terminal } from "./command.ts";
import { check } from "./governance_check.ts";
import type { Attempt, Outcome } from "./governance_drill_attempt.ts";
import { raisedModule } from "./governance_drill_module.ts";

/** One edit: what stands there and what is put in its place, or what is made of the whole. */
type Edit =
  | readonly [file: string, find: string | RegExp, put: string]
  | readonly [file: string, change: (text: string) => string];

interface Sabotage {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Writes an approved entry of class 2 for it. */
  readonly labelled?: boolean;
  /** The identifier that a refusal must name. */
  readonly names: RegExp;
}

const RAISE_TS: Edit = ["src/caps.ts", "frameBytes: 1_048_576", "frameBytes: 2_097_152"];
const RAISE_RUST: Edit = [
  "wasm/core/src/caps.rs",
  "FRAME_BYTES: usize = 1_048_576",
  "FRAME_BYTES: usize = 2_097_152",
];

const SABOTAGES: readonly Sabotage[] = [
  { name: "the ceiling in TypeScript alone", edits: [RAISE_TS], names: /cap:frameBytes/ },
  { name: "the ceiling in Rust alone", edits: [RAISE_RUST], names: /cap:frameBytes/ },
  {
    name: "the WebAssembly file swapped",
    edits: [["src/oap/hot_wasm.ts", /(WASM_SHA256: string = ")[0-9a-f]{8}/, "$100000000"]],
    names: /artefact:sha256|guard:/,
  },
  {
    name: "an edge of a histogram",
    edits: [["src/histogram.ts", "0.01, 0.025, 0.05", "0.01, 0.03, 0.05"]],
    names: /edges:handshake_latency_seconds/,
  },
  {
    name: "a reason renamed",
    edits: [["src/metrics/families.ts", '"rate_limited"', '"rate_limit"']],
    names: /reason:rate_limit/,
  },
  {
    name: "a readiness reason renamed",
    edits: [["src/readiness.ts", '| "draining"', '| "drain"']],
    names: /readiness_reason:drain/,
  },
  {
    name: "the inflate guard passed by",
    edits: [[
      "src/oap/guard.ts",
      "const out = hot().inflate(codec, bytes, budget, 0);",
      "const out = new Uint8Array(1_048_576 + codec + budget);",
    ]],
    names: /guard:/,
  },
  {
    name: "a ceiling raised everywhere, module, policy and snapshot too, labelled class 2",
    edits: [
      RAISE_TS,
      RAISE_RUST,
      ["src/oap/hot_wasm.ts", raisedModule],
      ["governance/policy.json", '"frameBytes": 1048576', '"frameBytes": 2097152'],
      ["governance/snapshot.json", '"cap:frameBytes": 1048576', '"cap:frameBytes": 2097152'],
    ],
    labelled: true,
    names: /cap:frameBytes: .* declares class 2, and it is class 0/,
  },
];

/**
 * The attempts on a copy of the last commit.
 *
 * @param root The checkout.
 * @param folder A temporary directory for the copy.
 */
export async function checkAttempts(root: string, folder: string): Promise<readonly Attempt[]> {
  const copy = join(folder, "copy");
  await must("git", "clone", "--quiet", "--shared", root, copy);
  await linkPath(join(root, "node_modules"), join(copy, "node_modules"));
  await writeText(join(copy, ".git/info/exclude"), "/node_modules\n");
  const unchanged: Attempt = {
    name: "nothing, for comparison",
    against: "check",
    expects: "nothing is refused",
    run: async () => {
      const { code, output } = await checkOf(copy);
      return { refused: code === 0, how: code === 0 ? "nothing is refused" : output };
    },
  };
  return [
    unchanged,
    ...SABOTAGES.map((one): Attempt => ({
      name: one.name,
      against: "check",
      expects: "a refusal that names it",
      run: () => sabotage(copy, one),
    })),
  ];
}

async function sabotage(copy: string, { edits, labelled, names }: Sabotage): Promise<Outcome> {
  await must("git", "-C", copy, "checkout", "--quiet", "--", ".");
  for (const [file, what, put] of edits) {
    const path = join(copy, file);
    const text = await readText(path);
    const changed = typeof what === "function" ? what(text) : text.replace(what, put!);
    if (changed === text) throw drillOutOfDate(file, what);
    await writeText(path, changed);
  }
  if (labelled === true) await label(copy);
  const { code, output } = await checkOf(copy);
  if (code === 0) return { refused: false, how: "the check takes it" };
  const line = output.split("\n").find((one) => one.startsWith("REFUSED ") && names.test(one));
  if (line !== undefined) return { refused: true, how: line.slice(0, 240) };
  return { refused: false, how: `refused for something else: ${output.split("\n")[0]}` };
}

/** What an insider would write: approved, merged, and of no importance. */
async function label(copy: string): Promise<void> {
  const path = join(copy, LOG_FILE);
  const text = await readText(path);
  const author = (await readText(join(copy, "MAINTAINERS"))).match(/^maintainers: ([^,\n]+)/m)?.[1];
  const now = new Date().toISOString();
  const entry = entryText({
    id: nextId(parseLog(text)),
    date: now,
    kind: "change",
    class: 2,
    decision: "approved",
    author: author ?? "insider",
    votes: { maintainers: [{ by: author ?? "insider", vote: "approve" }] },
    rationale: "Tidying.",
    links: ["#1"],
    evidence: ["none"],
    supersedes: null,
    reverts: null,
    touched: [{ identifier: "cap:frameBytes", old: 1_048_576, new: 2_097_152 }],
    opened: now,
    merged: now,
    commit: null,
    proposal: null,
    version_step: "patch",
  }, "Tidying");
  await writeText(path, `${text}\n${entry}`);
}

/** The command itself, as a merge runs it. */
async function checkOf(root: string): Promise<{ code: number; output: string }> {
  let output = "";
  const writer = (text: string | Uint8Array): Promise<void> => {
    output += typeof text === "string" ? text : new TextDecoder().decode(text);
    return Promise.resolve();
  };
  const terminal = { out: { write: writer }, err: { write: writer } } as unknown as Terminal;
  const given: Readonly<Record<string, string>> = { root, base: "HEAD" };
  const parsed: Parsed = {
    positionals: ["check"],
    has: (flag) => flag in given,
    value: (flag) => given[flag],
  };
  try {
    return { code: await check(parsed, terminal), output };
  } catch (error) {
    // a tree that cannot be loaded is refused as well
    const message = error instanceof Error ? error.message : String(error);
    return { code: 1, output: `REFUSED ${message}` };
  }
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code === 0) return;
  throw new TransportError("internal", `${program} ${args[0]} failed: ${stderr.trim()}`, {
    op: "governance",
  });
}

function drillOutOfDate(file: string, find: Edit[1]): TransportError {
  return new TransportError(
    "internal",
    `The drill is out of date: ${file} has no ${String(find)}. Give it what stands there now`,
    { op: "governance" },
  );
}
