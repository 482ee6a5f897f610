/**
 * `deno task ok`: everything that must hold before a commit, apart from the tests.
 *
 * Parts run two at a time. Each that fails prints one line and then its output.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { type Ran, run, seconds } from "./lib/process.ts";

const DENO: string = findRuntime("deno") ?? "deno";

interface Part {
  readonly name: string;
  /** What to do when it fails. */
  readonly remedy: string;
  run(): Promise<Ran>;
}

function deno(name: string, remedy: string, ...args: string[]): Part {
  return { name, remedy, run: () => run(DENO, args) };
}

function script(name: string, remedy: string, path: string, ...args: string[]): Part {
  const flags = ["--no-prompt", "--allow-read", "--allow-env", "--allow-run", "--allow-sys"];
  const missing: Ran = { code: 1, output: `${path} does not exist`, ms: 0 };
  return {
    name,
    remedy,
    run: () =>
      existsSync(join(ROOT, path))
        ? run(DENO, ["run", ...flags, path, ...args])
        : Promise.resolve(missing),
  };
}

function entryFiles(): string[] {
  const text = readFileSync(join(ROOT, "deno.json"), "utf8");
  const { exports } = JSON.parse(text) as { exports: Record<string, string> };
  return Object.values(exports);
}

/** Folders and files with code or documented examples, as far as they exist. */
function checked(): string[] {
  const documents = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const parts = ["mod.ts", "src", "test", "scripts", "bench", "examples", "docs", ...documents];
  return parts.filter((name) => existsSync(join(ROOT, name)));
}

const PARTS: readonly Part[] = [
  deno("types", "see the errors below", "check", "--quiet", "--doc", ...checked()),
  deno("publish", "see the errors below", "publish", "--quiet", "--dry-run", "--allow-dirty"),
  deno("doc", "document what is listed", "doc", "--lint", "--quiet", ...entryFiles()),
  deno("lint", "`deno lint --fix` mends some", "lint", "--quiet"),
  deno("fmt", "run `deno fmt`", "fmt", "--check"),
  script("wasm", "run `deno task wasm` after a change in wasm/", "scripts/check_wasm.ts"),
  script("exports", "make the manifests agree", "scripts/check_exports.ts"),
  script("config", "run `deno task config:docs`", "scripts/gen_config_docs.ts", "--check"),
  script("metrics", "run `deno task metrics:docs`", "scripts/gen_metrics_docs.ts", "--check"),
  script("traceability", "run `deno task traceability`", "scripts/traceability.ts", "--check"),
  script("policy", "run `deno task governance:docs`", "scripts/gen_governance_docs.ts", "--check"),
  script(
    "frozen",
    "undo it, or run `deno task governance snapshot --write`",
    "src/cli/main.ts",
    "governance",
    "snapshot",
  ),
  script("seam", "move the code to where it may be", "scripts/check_seam.ts"),
];

function firstLine(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return lines.find((line) => /\berror[:[]|\[ERROR\]|^\w+: /.test(line)) ??
    lines.find((line) => line !== "") ?? "";
}

function print({ name, remedy }: Part, { code, output, ms }: Ran): void {
  const label = name.padEnd(12);
  if (code === 0) console.log(`ok    ${label} ${seconds(ms)}`);
  else {
    console.log(`FAIL  ${label} ${firstLine(output)} (${remedy})`);
    console.log(output.trimEnd().replace(/^/gm, "      "));
  }
}

async function main(): Promise<number> {
  const wanted = process.argv.slice(2).filter((arg) => arg !== "--");
  const unknown = wanted.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    console.error(
      `ok: no part "${unknown}"; parts are ${PARTS.map(({ name }) => name).join(", ")}`,
    );
    return 2;
  }
  const queue = PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const total = queue.length;
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const ran = await part.run();
      if (ran.code !== 0) failed++;
      print(part, ran);
    }
  };
  await Promise.all([worker(), worker()]);
  console.log(`\nok: ${total - failed} parts hold, ${failed} do not`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
