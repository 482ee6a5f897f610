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
  --each N   at most so many mutants of each file, drawn by the seed (default: all)
  --seed N   which (default 1)`;

/** A run that takes so many times as long as one without a fault hangs: found. */
const PATIENCE = 5;
/** What a run may take at least, in milliseconds: another one may load the machine. */
const LEAST_MS = 5_000;
/** A run whose processes hold more than this, in bytes, is out of hand: found. JavaScriptCore has no limit of its own. */
const MEMORY_BYTES = 1_000_000_000;
/** How often that is looked at, in milliseconds. */
const LOOK_MS = 50;
/** Fraction that must be found. */
const GOAL = 0.85;

const LIMITS = ["test/unit/limits"];
const CORE = [
  "test/unit/core",
  "test/unit/limits/pacing_test.ts",
  "test/unit/limits/reading_test.ts",
];
const CODEC = ["test/vectors_test.ts", "test/unit/oap"];

/** Sources, and the tests that should notice a fault in them. */
const TARGETS: readonly (readonly [string, readonly string[]])[] = [
  ...[
    "token_bucket",
    "peer_key",
    "peers",
    "permits",
    "admission",
    "handshakes",
    "pacer",
    "lane",
    "turns",
    "byte_budget",
    "byte_account",
    "leavings",
  ].map((name) => [`src/limits/${name}.ts`, LIMITS] as const),
  ["src/writer.ts", CORE],
  ["src/write_queue.ts", CORE],
  ["src/write_credit.ts", CORE],
  ["src/write_line.ts", CORE],
  ["src/intake.ts", CORE],
  ["src/reading.ts", CORE],
  ["src/keep.ts", CORE],
  ["src/receive_window.ts", ["test/unit/limits/receive_window_test.ts"]],
  ["src/release.ts", CORE],
  ["src/connection_table.ts", [
    "test/limits/admission_test.ts",
    "test/log/log_test.ts",
    ...CORE,
  ]],
  ["src/uds/users.ts", ["test/runtime/unix_test.ts"]],
  ["src/runtime/deno_windows.ts", ["test/runtime/deno_windows_test.ts"]],
  ["src/oap/assembly.ts", ["test/unit/core/release_test.ts", ...CODEC]],
  ["src/oap/parser.ts", CODEC],
  ["src/oap/decoder.ts", CODEC],
  ["src/oap/guard.ts", CODEC],
  ["src/oap/found.ts", CODEC],
];

interface Options {
  readonly files: readonly string[];
  readonly each: number;
  readonly seed: number;
}

function parse(args: readonly string[]): Options {
  const files: string[] = [];
  const numbers = { each: Infinity, seed: 1 };
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

/** Resident bytes of a process and all below it, by `/proc`; 0 where there is none. */
function resident(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return children.filter((child) => child !== "")
      .reduce((sum, child) => sum + resident(Number(child)), pages * 4_096);
  } catch {
    return 0; // it has just ended
  }
}

/** How the tests ended. */
interface Run {
  readonly passed: boolean;
  readonly ms: number;
}

/** Runs tests, in a group of processes of their own that is killed as a whole when it gets out of hand. */
function runTests(bun: string, cwd: string, tests: readonly string[], most: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const args = ["test", "--bail", ...tests.map((test) => `./${test}`)];
    const start = performance.now();
    const child = spawn(bun, args, { cwd, stdio: "ignore", detached: true });
    const kill = (): void => {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // it has ended by itself, and with it its group
      }
    };
    const timer = setTimeout(kill, most);
    const watch = setInterval(() => resident(child.pid!) > MEMORY_BYTES && kill(), LOOK_MS);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      clearInterval(watch);
      kill(); // what it left behind
      resolve({ passed: code === 0, ms: performance.now() - start });
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
    const base = await runTests(bun, copy, tests, 60_000);
    if (!base.passed) throw new Error(`${path}: its tests fail without a fault`);
    const most = Math.max(LEAST_MS, PATIENCE * base.ms);
    const mutants = draw(mutantsOf(source), each, seed);
    let own = 0;
    for (const { line, before, after } of mutants) {
      const lines = source.split("\n");
      lines[line - 1] = after;
      writeFileSync(join(copy, path), lines.join("\n"));
      if ((await runTests(bun, copy, tests, most)).passed) {
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
