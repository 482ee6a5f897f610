/**
 * `deno task release`: everything of a release but publishing it, into a folder. The tree is left as it is.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { compare } from "../src/cli/governance_compare.ts";
import { lastTag } from "../src/cli/governance_checkout.ts";
import { greatestStep } from "../src/governance/classify.ts";
import { WASM_BASE64, WASM_SHA256 } from "../src/oap/hot_wasm.ts";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { run } from "./lib/process.ts";
import { next, released, uncovered, unreleased } from "./release/changelog.ts";
import { bom, cargoComponents, type Component, npmComponents } from "./release/sbom.ts";

const USAGE = `usage: deno task release [--out DIR]

  --out DIR  where it goes (.release); nothing else is written, and nothing is published`;

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** What to release, and what stands in its way. */
interface Plan {
  readonly version: string;
  readonly step: string;
  readonly why: string;
  readonly faults: readonly string[];
}

async function plan(): Promise<Plan> {
  const tag = await lastTag(ROOT);
  const { version: named, text } = unreleased(read("CHANGELOG.md"));
  const manifest = (JSON.parse(read("deno.json")) as { version: string }).version;
  if (tag === undefined) {
    const version = named ?? manifest;
    const faults = version === manifest ? [] : [`deno.json says ${manifest}, not ${version}`];
    return { version, step: "none", why: "the first release: nothing to compare with", faults };
  }
  const { changes } = await compare(ROOT, tag);
  const derived = greatestStep(changes.map(({ step }) => step));
  const step = derived === "none" ? "patch" : derived; // a release is a step, whatever is in it
  const version = next(tag, step);
  const exports = changes.map(({ identifier }) => identifier)
    .filter((identifier) => identifier.startsWith("export:"));
  const faults = uncovered(text, exports)
    .map((identifier) => `CHANGELOG.md does not name ${identifier}, which changed since ${tag}`);
  return { version, step, why: `${changes.length} changes since ${tag}`, faults };
}

function components(): Component[] {
  const { dependencies } = JSON.parse(read("package.json")) as {
    dependencies: Record<string, string>;
  };
  const tor = "native/arti/Cargo.lock";
  return [
    ...npmComponents(read("deno.lock"), Object.keys(dependencies)),
    ...cargoComponents(read("wasm/Cargo.lock"), "required"),
    ...existsSync(join(ROOT, tor)) ? cargoComponents(read(tor), "optional") : [],
  ];
}

/** Builds and packs; the dry runs of both registries. */
async function pack(out: string): Promise<string[]> {
  const deno = findRuntime("deno") ?? process.execPath;
  const steps: readonly (readonly [string, string, readonly string[]])[] = [
    ["the build", deno, ["task", "build"]],
    ["npm pack", "npm", ["pack", "--ignore-scripts", "--pack-destination", out]],
    ["npm publish --dry-run", "npm", ["publish", "--dry-run", "--ignore-scripts"]],
    ["deno publish --dry-run", deno, ["publish", "--quiet", "--dry-run", "--allow-dirty"]],
  ];
  const faults: string[] = [];
  for (const [name, command, args] of steps) {
    const { code, output } = await run(command, args);
    console.log(`release: ${name}: ${code === 0 ? "ok" : `code ${code}`}`);
    if (code !== 0) faults.push(`${name} ended with code ${code}: ${output.trim().slice(-400)}`);
  }
  return faults;
}

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf("--out");
  const wrong = args.find((arg, i) =>
    !["--", "--out", "--dry"].includes(arg) && args[i - 1] !== "--out"
  );
  if (wrong !== undefined || (at !== -1 && args[at + 1] === undefined)) {
    console.error(
      `release: ${wrong === undefined ? "--out wants a folder" : `unknown ${wrong}`}\n${USAGE}`,
    );
    return 2;
  }
  const root = resolve(at === -1 ? join(ROOT, ".release") : args[at + 1]!);
  const { version, step, why, faults: papers } = await plan();
  const out = join(root, version);
  mkdirSync(out, { recursive: true });
  console.log(`release: ${version} (${step}): ${why}`);
  const now = new Date().toISOString();
  const wasm = Uint8Array.from(atob(WASM_BASE64), (char) => char.charCodeAt(0));
  const faults = [...papers];
  if (sha256(wasm) !== WASM_SHA256) {
    faults.push("the module is not the one whose digest stands beside it");
  }
  const put = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(out, name), content);
  put("hot.wasm", wasm);
  put("CHANGELOG.md", released(read("CHANGELOG.md"), version, now.slice(0, 10)));
  put(
    "sbom.cdx.json",
    `${JSON.stringify(bom(version, now, WASM_SHA256, components()), null, 1)}\n`,
  );
  faults.push(...await pack(out));
  const sums = readdirSync(out).filter((name) => name !== "SHA256SUMS").sort()
    .map((name) => `${sha256(readFileSync(join(out, name)))}  ${name}\n`);
  put("SHA256SUMS", sums.join(""));
  for (const fault of faults) console.log(`release: ${fault}`);
  console.log(
    `release: ${faults.length === 0 ? "could be published" : "must not be published"}; ${out}`,
  );
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
