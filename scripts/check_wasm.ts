/**
 * Checks the committed WebAssembly artefact against its sources and against the library:
 *
 * - the inlined bytes have the digest that stands beside them;
 * - every ceiling is the same in `wasm/core/src/caps.rs`, in the module and in `src/caps.ts`;
 * - the module imports and exports exactly what the library expects;
 * - with `--rebuild`, and the toolchain that made it, a build gives the same bytes.
 *
 * ```sh
 * deno run -A scripts/check_wasm.ts [--rebuild] [--root DIR]
 * ```
 *
 * One line for each difference, exit code 1 if there is any.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** What the module may ask of its host: both belong to wasm-bindgen, and neither is called on any input. */
const IMPORTS = [
  "./hot_bg.js __wbg___wbindgen_throw_4c88d8bf264fd984 function",
  "./hot_bg.js __wbindgen_init_externref_table function",
];

/** What the module offers: the struct's methods, its memory, and what wasm-bindgen adds. */
const EXPORTS = [
  "__abort_handler global",
  "__instance_terminated global",
  "__wbg_hot_free function",
  "__wbindgen_externrefs table",
  "__wbindgen_start function",
  "hot_caps_ptr function",
  "hot_chunk function",
  "hot_ctl_ptr function",
  "hot_guard function",
  "hot_guard_in function",
  "hot_guard_out_ptr function",
  "hot_guard_wipe function",
  "hot_hdr_ptr function",
  "hot_index function",
  "hot_new function",
  "hot_rows function",
  "hot_rows_ptr function",
  "hot_win_ptr function",
  "memory memory",
];

interface Artefact {
  readonly WASM_BASE64: string;
  readonly WASM_SHA256: string;
  readonly WASM_TOOLCHAIN: string;
}

interface HotExports {
  readonly memory: WebAssembly.Memory;
  hot_new(): number;
  hot_caps_ptr(hot: number): number;
}

type Imports = Record<string, Record<string, () => void>>;

/** The lines to print: differences fail the check, notes do not. */
interface Findings {
  readonly differences: string[];
  readonly notes: string[];
}

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "string") {
    console.error(`check_wasm: ${options}\nusage: check_wasm.ts [--rebuild] [--root DIR]`);
    return 2;
  }
  const { root, rebuild } = options;
  const findings: Findings = { differences: [], notes: [] };
  const artefact = await load<Artefact>(root, "src/oap/hot_wasm.ts");
  const bytes = Uint8Array.from(atob(artefact.WASM_BASE64), (char) => char.charCodeAt(0));

  checkDigest(bytes, artefact.WASM_SHA256, findings);
  const module = compile(bytes, findings);
  if (module !== undefined) {
    checkNames("import", WebAssembly.Module.imports(module).map(importName), IMPORTS, findings);
    checkNames("export", WebAssembly.Module.exports(module).map(exportName), EXPORTS, findings);
    await checkCaps(root, module, findings);
  }
  if (rebuild) checkRebuild(root, bytes, artefact.WASM_TOOLCHAIN, findings);

  for (const line of findings.differences) console.error(`check_wasm: ${line}`);
  for (const line of findings.notes) console.error(`check_wasm: note: ${line}`);
  if (findings.differences.length > 0) return 1;
  console.log(
    `check_wasm: ok: ${bytes.length} bytes, ${
      artefact.WASM_SHA256.slice(0, 16)
    }…, ${artefact.WASM_TOOLCHAIN}`,
  );
  return 0;
}

function parse(args: string[]): { root: string; rebuild: boolean } | string {
  let root = resolve(import.meta.dirname ?? ".", "..");
  let rebuild = false;
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1];
    if (args[i] === "--rebuild") rebuild = true;
    else if (args[i] === "--root" && value !== undefined) root = resolve(args[++i] ?? value);
    else return `unknown or incomplete option ${args[i]}`;
  }
  return { root, rebuild };
}

async function load<T>(root: string, path: string): Promise<T> {
  return await import(pathToFileURL(join(root, path)).href) as T;
}

function checkDigest(bytes: Uint8Array, expected: string, findings: Findings): void {
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual === expected) return;
  findings.differences.push(
    `digest: the inlined module has SHA-256 ${actual}, WASM_SHA256 says ${expected}; run scripts/build_wasm.sh`,
  );
}

function compile(
  bytes: Uint8Array<ArrayBuffer>,
  findings: Findings,
): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    findings.differences.push(
      `module: the inlined bytes do not compile: ${(cause as Error).message}`,
    );
    return undefined;
  }
}

function importName(entry: WebAssembly.ModuleImportDescriptor): string {
  return `${entry.module} ${entry.name} ${entry.kind}`;
}

function exportName(entry: WebAssembly.ModuleExportDescriptor): string {
  return `${entry.name} ${entry.kind}`;
}

function checkNames(kind: string, actual: string[], expected: string[], findings: Findings): void {
  for (const name of actual) {
    if (!expected.includes(name)) {
      findings.differences.push(`${kind}: ${name} is new and not listed here`);
    }
  }
  for (const name of expected) {
    if (!actual.includes(name)) {
      findings.differences.push(`${kind}: ${name} is missing from the module`);
    }
  }
}

/** Three tables, one truth: a difference is named with all three values. */
async function checkCaps(
  root: string,
  module: WebAssembly.Module,
  findings: Findings,
): Promise<void> {
  const rust = rustCaps(readFileSync(join(root, "wasm/core/src/caps.rs"), "utf8"));
  const { CAPS } = await load<{ CAPS: Record<string, number> }>(root, "src/caps.ts");
  const inModule = moduleCaps(module, rust.size);
  const left = new Set(Object.keys(CAPS));
  let at = 0;
  for (const [name, value] of rust) {
    const camel = name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    left.delete(camel);
    const theirs = [value, inModule[at++], CAPS[camel]];
    if (theirs.every((one) => one === value)) continue;
    findings.differences.push(
      `caps: ${camel} is ${theirs[0]} in caps.rs (${name}), ${theirs[1]} in the module, ${
        theirs[2] ?? "absent"
      } in src/caps.ts`,
    );
  }
  for (const name of left) {
    findings.differences.push(
      `caps: ${name} is ${CAPS[name]} in src/caps.ts and absent from caps.rs and the module`,
    );
  }
}

function rustCaps(source: string): Map<string, number> {
  const constants = source.matchAll(/^pub const ([A-Z_]+): usize = ([\d_]+);$/gm);
  return new Map(
    [...constants].map(([, name, value]) => [name ?? "", Number(value?.replaceAll("_", ""))]),
  );
}

function moduleCaps(module: WebAssembly.Module, count: number): number[] {
  const imports: Imports = {};
  for (const entry of WebAssembly.Module.imports(module)) {
    (imports[entry.module] ??= {})[entry.name] = () => {
      throw new Error(`the module called its import ${entry.name}`);
    };
  }
  const exports = new WebAssembly.Instance(module, imports).exports as unknown as HotExports;
  const at = exports.hot_caps_ptr(exports.hot_new());
  const view = new DataView(exports.memory.buffer);
  return Array.from({ length: count }, (_, i) => view.getUint32(at + 4 * i, true));
}

/** Builds again and compares bytes, when that can be done here. */
function checkRebuild(
  root: string,
  bytes: Uint8Array,
  toolchain: string,
  findings: Findings,
): void {
  const script = join(root, "scripts/build_wasm.sh");
  const run = (option: string) =>
    spawnSync("bash", [script, option], { maxBuffer: 16 << 20, stdio: ["ignore", "pipe", "pipe"] });
  const have = run("--toolchain");
  const line = have.stdout.toString().trim();
  if (have.status !== 0) {
    findings.notes.push(`not rebuilt, no toolchain here: ${oneLine(have.stderr.toString())}`);
  } else if (line !== toolchain) {
    findings.notes.push(
      `not rebuilt, another toolchain makes other bytes: here ${line}; the artefact's ${toolchain}`,
    );
  } else {
    const built = run("--print");
    if (built.status !== 0) {
      findings.differences.push(`rebuild: failed: ${oneLine(built.stderr.toString())}`);
    } else if (!built.stdout.equals(bytes)) {
      const digest = createHash("sha256").update(built.stdout).digest("hex");
      findings.differences.push(
        `rebuild: the sources make ${built.stdout.length} bytes with SHA-256 ${digest}, not the inlined ${bytes.length} bytes; run scripts/build_wasm.sh`,
      );
    } else {
      findings.notes.push("rebuilt: the same bytes");
    }
  }
}

function oneLine(text: string): string {
  return text.trim().split(/\s*\n\s*/).slice(-3).join("; ");
}

process.exitCode = await main(process.argv.slice(2));
