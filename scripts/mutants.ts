/**
 * `deno task mutants`: puts one small fault at a time into a copy of the sources, and sees whether the
 * unit tests notice. Prints those that they do not.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { type Mutant, mutantsOf } from "./lib/mutate.ts";

const USAGE = `usage: deno task mutants [FILE…] [--each N] [--seed N]

  FILE       part of a source's path: only these
  --each N   at most so many mutants of each file, drawn by the seed (default 12)
  --seed N   which (default 1)`;

/** Longest run of the tests; a mutant that makes them hang is found. */
const LIMIT_MS = 10_000;
/** Fraction that must be found. */
const GOAL = 0.85;

/** Sources of `src/limits`, and which test of `test/unit/limits` is theirs. */
const LIMITS: Readonly<Record<string, string>> = {
  token_bucket: "token_bucket",
  peer_key: "peer_key",
  peers: "peers",
  permits: "peers",
  admission: "admission",
  handshakes: "admission",
  pacer: "pacer",
  lane: "pacer",
  turns: "byte_budget",
  byte_budget: "byte_budget",
  byte_account: "byte_budget",
};
const CORE = ["test/unit/limits/pacing_test.ts"];
const CODEC = ["test/vectors_test.ts", "test/unit/oap"];

/** Sources, and the tests that should notice a fault in them. */
const TARGETS: readonly (readonly [string, readonly string[]])[] = [
  ...Object.entries(LIMITS).map(([name, test]) =>
    [`src/limits/${name}.ts`, [`test/unit/limits/${test}_test.ts`]] as const
  ),
  ["src/writer.ts", ["test/unit/core/writer_test.ts", ...CORE]],
  ["src/intake.ts", [...CORE, "test/limits/pace_test.ts"]],
  ["src/connection_table.ts", ["test/limits/admission_test.ts", "test/unit/core"]],
  ["src/oap/parser.ts", CODEC],
  ["src/oap/guard.ts", CODEC],
];

interface Options {
  readonly files: readonly string[];
  readonly each: number;
  readonly seed: number;
}

function parse(args: readonly string[]): Options {
  const files: string[] = [];
  const numbers = { each: 12, seed: 1 };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--each" || arg === "--seed") {
      const n = Number(args[++i]);
      if (!Number.isInteger(n) || n < 1) usage(`${arg} wants a whole number above 0`);
      numbers[arg.slice(2) as "each" | "seed"] = n;
    } else if (arg.startsWith("-")) usage(`unknown option ${arg}`);
    else files.push(arg);
  }
  return { files, ...numbers };
}

function usage(problem: string): never {
  console.error(`mutants: ${problem}\n${USAGE}`);
  process.exit(2);
}

/** `n` of them, spread by the seed, in their order. */
function draw(mutants: readonly Mutant[], n: number, seed: number): Mutant[] {
  if (mutants.length <= n) return [...mutants];
  let state = seed * 2_654_435_761 >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const step = mutants.length / n;
  return Array.from({ length: n }, (_, i) => mutants[Math.floor((i + random()) * step)]!);
}

/** Whether the tests pass. */
function passes(bun: string, cwd: string, tests: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const args = ["test", "--bail", ...tests.map((test) => `./${test}`)];
    const child = spawn(bun, args, { cwd, stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

const { files, each, seed } = parse(process.argv.slice(2));
const targets = TARGETS.filter(([path]) =>
  files.length === 0 || files.some((part) => path.includes(part))
);
if (targets.length === 0) usage(`no source has ${files.join(" or ")} in its path`);
const bun = findRuntime("bun") ?? usage("Bun is not there: npx -y deno@2.9.5 install");
const copy = mkdtempSync(join(tmpdir(), "ron-mutants-"));
let found = 0;
let made = 0;
try {
  for (const part of ["src", "test", "mod.ts", "package.json", "deno.json", "tsconfig.json"]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  for (const [path, tests] of targets) {
    const source = readFileSync(join(ROOT, path), "utf8");
    if (!await passes(bun, copy, tests)) throw new Error(`${path}: its tests fail without a fault`);
    const mutants = draw(mutantsOf(source), each, seed);
    let own = 0;
    for (const { line, before, after } of mutants) {
      const lines = source.split("\n");
      lines[line - 1] = after;
      writeFileSync(join(copy, path), lines.join("\n"));
      if (await passes(bun, copy, tests)) {
        console.log(`${path}:${line}\n    - ${before.trim()}\n    + ${after.trim()}`);
      } else own++;
    }
    writeFileSync(join(copy, path), source);
    found += own;
    made += mutants.length;
    console.error(`${path}: ${own} of ${mutants.length}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const share = found / made;
console.log(`mutants: ${found} of ${made} found, ${(share * 100).toFixed(1)} % (seed ${seed})`);
process.exit(share >= GOAL ? 0 : 1);
