/**
 * `deno task test`: every test on Deno, Bun, Node and Rust, and one closing line for all.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { ROOT } from "../test/runtimes.ts";
import { seconds } from "./lib/process.ts";
import { add, line, type Tally } from "./lib/report.ts";
import { compile, type Selection, type SuiteName, type SuiteResult, SUITES } from "./lib/suites.ts";

const USAGE = `usage: deno task test [FILTER] [--only deno,bun,node,rust] [--no-docs] [--verbose]

  FILTER     part of a test file's path, or else part of a test's name (Deno matches the name of the
             outermost group); no documentation examples and no Rust then, unless --only says so
  --only     run these only; may be given more than once
  --no-docs  leave out the examples in documentation
  --verbose  show the output of runs that passed, too`;

interface Options {
  filter: string | undefined;
  only: SuiteName[];
  docs: boolean;
  verbose: boolean;
}

function usage(problem: string): never {
  console.error(`test: ${problem}\n${USAGE}`);
  process.exit(2);
}

function suiteNames(text: string | undefined): SuiteName[] {
  return (text ?? "").split(",").map((name) => {
    if (name in SUITES) return name as SuiteName;
    return usage(`--only wants deno, bun, node or rust, and got "${name}"`);
  });
}

function parse(args: readonly string[]): Options {
  const options: Options = { filter: undefined, only: [], docs: true, verbose: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") continue;
    else if (arg === "--only") options.only.push(...suiteNames(args[++i]));
    else if (arg.startsWith("--only=")) options.only.push(...suiteNames(arg.slice(7)));
    else if (arg === "--no-docs") options.docs = false;
    else if (arg === "--verbose") options.verbose = true;
    else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else if (arg.startsWith("-")) usage(`unknown option ${arg}`);
    else if (options.filter !== undefined) usage(`one FILTER only, and got "${arg}" as well`);
    else options.filter = arg;
  }
  return options;
}

function testFiles(): string[] {
  return readdirSync(join(ROOT, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith("_test.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

function select(options: Options): Selection {
  const all = testFiles();
  const { filter, docs } = options;
  if (filter === undefined) return { files: all, name: undefined, docs };
  const files = all.filter((file) => file.includes(filter));
  if (files.length > 0) return { files, name: undefined, docs: false };
  return { files: all, name: filter, docs: false };
}

function print(result: SuiteResult, verbose: boolean): void {
  const { suite, counts, failures, notes, output, ms } = result;
  if (verbose || counts.failed > 0) {
    console.log(`\n----- ${suite}: output -----\n${output.trimEnd()}\n----- ${suite}: end -----`);
  }
  const time = ms > 0 ? `  (${seconds(ms)})` : "";
  console.log(`${suite.padEnd(5)} ${line(counts)}${time}`);
  for (const { file, name } of failures) console.log(`      failed: ${file}: ${name}`);
  for (const note of notes) console.log(`      ${note}`);
}

/** Two at a time: more only slow each other down on small machines. */
async function runAll(
  names: readonly SuiteName[],
  selection: Selection,
  verbose: boolean,
): Promise<Tally> {
  let sum: Tally = { passed: 0, failed: 0, skipped: 0 };
  const queue = [...names];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await SUITES[name](selection);
      print(result, verbose);
      sum = add(sum, result.counts);
    }
  };
  await Promise.all([worker(), worker()]);
  return sum;
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  const selection = select(options);
  let names = Object.keys(SUITES) as SuiteName[];
  if (options.only.length > 0) names = names.filter((name) => options.only.includes(name));
  else if (options.filter !== undefined) names = names.filter((name) => name !== "rust");
  let compiled: Tally = { passed: 0, failed: 0, skipped: 0 };
  const { code, output } = await compile();
  if (code !== 0) {
    console.log(`tsc   ${output.trim().replaceAll("\n", "\n      ")}`);
    console.log("      failed: sources do not compile for Node: counted as 1 failed");
    compiled = { ...compiled, failed: 1 };
  }
  const sum = add(compiled, await runAll(names, selection, options.verbose));
  console.log(`\n${line(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
