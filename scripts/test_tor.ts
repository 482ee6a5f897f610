/**
 * `deno task test:tor`: everything that wants the Tor addon and a Tor network, on Deno, Bun and Node.
 *
 * Builds or finds the addon, starts one private network for all, runs `test/tor`, and prints counts
 * and figures. What cannot be had here skips tests, and is said.
 *
 * @module
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { missing, TorNetwork } from "../test/tor/network/mod.ts";
import { ROOT, type RuntimeName } from "../test/runtimes.ts";
import { run, seconds } from "./lib/process.ts";
import { add, line, type Tally } from "./lib/report.ts";
import { compile, SUITES } from "./lib/suites.ts";

const USAGE =
  `usage: deno task test:tor [FILTER] [--only deno,bun,node] [--cached] [--build-limit S] [--rust] [--strict]

  FILTER         part of a file's name in test/tor
  --only         these runtimes only
  --cached       take the addon from the cache, or do without
  --build-limit  seconds that building the addon may take (3600)
  --rust         format, lints and tests of native/arti as well
  --strict       a missed target is a failure, not only told; for a machine that does nothing else`;

interface Options {
  filter: string;
  only: RuntimeName[];
  cached: boolean;
  buildLimit: number;
  rust: boolean;
  strict: boolean;
}

function usage(problem: string): never {
  console.error(`test:tor: ${problem}\n${USAGE}`);
  process.exit(2);
}

function parse(args: readonly string[]): Options {
  const options: Options = {
    filter: "",
    only: ["deno", "bun", "node"],
    cached: false,
    buildLimit: 3_600,
    rust: false,
    strict: false,
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") continue;
    else if (arg === "--cached") options.cached = true;
    else if (arg === "--rust") options.rust = true;
    else if (arg === "--strict") options.strict = true;
    else if (arg === "--only") {
      options.only = (args[++i] ?? "").split(",").map((name) =>
        name === "deno" || name === "bun" || name === "node"
          ? name
          : usage(`--only wants deno, bun or node, and got "${name}"`)
      );
    } else if (arg === "--build-limit") {
      options.buildLimit = Number(args[++i]);
      if (!(options.buildLimit > 0)) usage("--build-limit wants seconds");
    } else if (arg === "--help" || arg === "-h") {
      console.log(USAGE);
      process.exit(0);
    } else if (arg.startsWith("-")) usage(`unknown option ${arg}`);
    else options.filter = arg;
  }
  return options;
}

/** Path of the addon, or why there is none. */
async function findAddon({ cached, buildLimit }: Options): Promise<{ file: string; why: string }> {
  const given = process.env["RON_ARTI_ADDON"];
  if (given !== undefined && given !== "") return { file: given, why: "" };
  const script = join(ROOT, "scripts/build_arti.sh");
  const found = (await run("bash", [script, "--print"])).output.trim();
  if (found !== "") return { file: found, why: "" };
  if (cached) return { file: "", why: "it is not in the cache; scripts/build_arti.sh builds it" };
  console.log(`the addon is not in the cache: building it, for ${buildLimit} s at most`);
  const { code, output, ms } = await run("bash", [script], { timeout: buildLimit * 1_000 });
  const last = output.trim().split("\n").at(-1) ?? "";
  if (code === 0) {
    console.log(`built in ${seconds(ms)}: ${last}`);
    return { file: last, why: "" };
  }
  return { file: "", why: `building it failed after ${seconds(ms)}: ${last}` };
}

/** Test files, those that disturb the network last and alone. */
function testFiles(filter: string): string[][] {
  const all = readdirSync(join(ROOT, "test/tor"))
    .filter((name) => name.endsWith("_test.ts") && name.includes(filter))
    .map((name) => `test/tor/${name}`)
    .sort();
  const disturb = (file: string): boolean => file.endsWith("_faults_test.ts");
  const groups = [all.filter((file) => !disturb(file)), ...all.filter(disturb).map((f) => [f])];
  return groups.filter((group) => group.length > 0);
}

/** Set by SIGTERM: what runs is ended by `run`, and nothing more is begun. */
let stopped = false;
process.once("SIGTERM", () => stopped = true);

type Figures = Map<string, Map<string, number>>;

function collect(output: string, figures: Figures): void {
  for (
    const [, runtime = "", name = "", n] of output.matchAll(/figure (\w+) (.+?) ([\d.]+)\s*$/gm)
  ) {
    const row = figures.get(runtime) ?? new Map<string, number>();
    figures.set(runtime, row.set(name, Number(n)));
  }
}

/** What a figure is to be at least or at most, on a machine that does nothing else. */
const TARGETS: Readonly<Record<string, { readonly least?: number; readonly most?: number }>> = {
  "bootstrap": { most: 2_000 },
  "exit RTT": { most: 1.8 },
  "exit MiB/s": { least: 1.6 },
  "onion RTT": { most: 3.6 },
  "onion MiB/s": { least: 1.2 },
  "close median": { most: 100 },
  "close max": { most: 500 },
  "idle MiB": { most: 130 },
};

/** Figures that miss their target. */
function misses(figures: Figures): string[] {
  return [...figures].flatMap(([runtime, row]) =>
    [...row].flatMap(([name, value]) => {
      const { least = -Infinity, most = Infinity } = TARGETS[name] ?? {};
      if (value >= least && value <= most) return [];
      return [`${runtime}: ${name} is ${value}, target ${value > most ? most : least}`];
    })
  );
}

/** The figures as a table of Markdown, a column for each runtime. */
function table(figures: Figures): string {
  const runtimes = [...figures.keys()];
  const names = [...new Set([...figures.values()].flatMap((row) => [...row.keys()]))];
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const target = (name: string): string => {
    const { least, most } = TARGETS[name] ?? {};
    return most !== undefined ? `<= ${most}` : least !== undefined ? `>= ${least}` : "";
  };
  return [
    row(["figure", ...runtimes, "target"]),
    row(["---", ...runtimes.map(() => "---"), "---"]),
    ...names.map((name) => {
      const cells = runtimes.map((r) => figures.get(r)?.get(name)?.toFixed(2) ?? "");
      return row([name, ...cells, target(name)]);
    }),
  ].join("\n");
}

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

async function runTests(options: Options): Promise<Tally> {
  const figures: Figures = new Map();
  let sum = NOTHING;
  for (const runtime of options.only) {
    for (const files of testFiles(options.filter)) {
      if (stopped) return add(sum, { ...NOTHING, failed: 1 });
      const result = await SUITES[runtime]({ files, name: undefined, docs: false });
      sum = add(sum, result.counts);
      collect(result.output, figures);
      const what = files.length === 1 ? files[0] : `${files.length} files`;
      console.log(`${runtime.padEnd(5)} ${line(result.counts)}  (${seconds(result.ms)}, ${what})`);
      for (const note of result.notes) console.log(`      ${note}`);
      if (result.counts.failed > 0) console.log(result.output.trimEnd());
    }
  }
  if (figures.size === 0) return sum;
  console.log(`\n${table(figures)}`);
  const missed = misses(figures);
  for (const miss of missed) console.log(`missed: ${miss}`);
  return options.strict ? add(sum, { ...NOTHING, failed: missed.length }) : sum;
}

/** The crate with the unit tests. */
const CORE = "ron-transport-arti-core";

/** Format, lints and unit tests of the crates. Each that fails counts as one. */
async function runRust(): Promise<Tally> {
  const cargo = async (...args: string[]): Promise<string> => {
    const { code, output, ms } = await run("cargo", args, {
      cwd: join(ROOT, "native/arti"),
      timeout: 3_600_000,
    });
    console.log(`cargo ${args[0]} ${code === 0 ? "ok" : `FAILED\n${output}`}  (${seconds(ms)})`);
    return code === 0 ? output : "";
  };
  let sum = NOTHING;
  const quick = ["--locked", "--profile", "quick"];
  for (
    const args of [
      ["fmt", "--check"],
      // not of the addon with tests: it has none, and in such a build nothing uses what JavaScript does
      ["clippy", ...quick, "--", "-D", "warnings"],
      ["clippy", ...quick, "-p", CORE, "--all-targets", "--", "-D", "warnings"],
      ["test", ...quick, "-p", CORE],
    ]
  ) {
    const output = await cargo(...args);
    const passed = Number(/(\d+) passed/.exec(output)?.[1] ?? 1);
    sum = add(
      sum,
      output === "" && args[0] !== "fmt" ? { ...NOTHING, failed: 1 } : { ...NOTHING, passed },
    );
  }
  return sum;
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  const { file, why } = await findAddon(options);
  if (file === "") console.log(`no addon, tests that need it are skipped: ${why}`);
  else process.env["RON_ARTI_ADDON"] = file;

  const compiled = options.only.includes("node") ? await compile() : undefined;
  if (compiled !== undefined && compiled.code !== 0) {
    console.log(`tsc: ${compiled.output}`);
    return 1;
  }

  const folder = mkdtempSync(join(tmpdir(), "ron-tor-"));
  let network: TorNetwork | undefined;
  const noNetwork = file === "" ? "nothing to test on it" : missing();
  let sum: Tally;
  try {
    if (noNetwork === undefined) {
      const from = performance.now();
      network = await TorNetwork.start(join(folder, "net"), { owner: process.pid });
      console.log(`tor   7 nodes usable after ${seconds(performance.now() - from)}`);
      process.env["RON_TOR_NET"] = join(folder, "net");
      process.env["RON_TOR_CONFIG"] = join(folder, "arti.toml");
      writeFileSync(join(folder, "arti.toml"), network.toml());
    } else console.log(`no network, tests that need it are skipped: ${noNetwork}`);
    sum = await runTests(options);
  } finally {
    // a test may have started nodes again: what runs now is in the folder
    if (network !== undefined) await TorNetwork.open(join(folder, "net")).stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (options.rust) sum = add(sum, await runRust());
  console.log(`\n${line(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
