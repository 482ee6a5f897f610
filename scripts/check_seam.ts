/**
 * Checks who may know what: runtimes are named in `src/runtime/` only, the core knows no protocol,
 * and each entry pulls in the packages it may and no others.
 *
 * @module
 */

import process from "node:process";
import { ROOT } from "../test/runtimes.ts";
import { findCycle, type Graph, type Module, reachable, readGraph } from "./lib/graph.ts";
import { codeOnly } from "./lib/source.ts";

/** Third-party packages by the entry that may reach them; an entry not named may reach none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": ["zod"],
  "src/oap/mod.ts": [],
  "src/audit/mod.ts": [],
  "src/config/mod.ts": ["zod", "smol-toml"],
  "src/trace/mod.ts": ["@opentelemetry/api"],
  "src/compress/mod.ts": ["fflate"],
  "src/arti/mod.ts": [],
  "src/testing/mod.ts": ["zod", "@peculiar/asn1-schema", "@peculiar/asn1-x509"],
  "src/cli/main.ts": [
    "zod",
    "smol-toml",
    "prom-client",
    "@peculiar/asn1-schema",
    "@peculiar/asn1-x509",
  ],
};

/** Local files that an entry must not reach. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": [
    "src/oap/",
    "src/cli/",
    "src/testing/",
    "src/compress/",
    "src/config/load.ts",
    "src/audit/nats.ts",
    "src/arti/mod.ts",
    "src/arti/session.ts",
    "src/runtime/host_addon.ts",
  ],
  "src/oap/mod.ts": ["src/transport.ts", "src/cli/", "src/testing/"],
};

/** The files of `src/runtime/` that others may import; the adapters are not among them. */
const DOORS = /^src\/runtime\/(?:runtime|detect|zstd|host(?:_\w+)?)\.ts$/;

/** Folders that reach the machine through the host files only, never through a socket adapter. */
const HOST_ONLY = /^src\/(?:cli|testing)\//;
const HOST_DOORS = /^src\/runtime\/(?:runtime|zstd|host(?:_\w+)?)\.ts$/;

const RUNTIME_NAMES = /(?<![.\w$])(?:Deno|Bun|NodeJS|process|Buffer|require)(?=\s*[.([\]?])/g;

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function* runtimeNames({ path, text, imports }: Module): Iterable<string> {
  for (const { specifier, line } of imports) {
    if (/^(?:node|bun|deno):|^bun$/.test(specifier)) {
      yield `${path}:${line}: imports ${specifier}; go through src/runtime/host.ts`;
    }
  }
  for (const match of codeOnly(text).matchAll(RUNTIME_NAMES)) {
    yield `${path}:${lineOf(text, match.index)}: names ${match[0]}; go through src/runtime/host.ts`;
  }
}

function* doors({ path, imports }: Module): Iterable<string> {
  const allowed = HOST_ONLY.test(path) ? HOST_DOORS : DOORS;
  for (const { specifier, line } of imports) {
    if (specifier.startsWith("src/runtime/") && !allowed.test(specifier)) {
      yield `${path}:${line}: imports ${specifier}; only the interfaces and host files are open`;
    }
  }
}

/** Files of the core: everything but the protocol and what is built on it. */
function isCore(path: string): boolean {
  return !/^src\/(?:oap|cli|testing|compress|metrics|trace|governance)\//.test(path);
}

function* coreKnowsNoProtocol({ path, imports }: Module): Iterable<string> {
  for (const { specifier, line } of imports) {
    if (specifier.startsWith("src/oap/")) {
      yield `${path}:${line}: the core imports ${specifier}; a protocol attaches as a Sink instead`;
    }
  }
}

function* unknownFiles(graph: Graph, { path, imports }: Module): Iterable<string> {
  for (const { specifier, line } of imports) {
    const local = specifier.startsWith("src/") || specifier === "mod.ts";
    if (specifier.startsWith("..")) {
      yield `${path}:${line}: imports ${specifier}, out of the package`;
    } else if (local && !graph.has(specifier)) {
      yield `${path}:${line}: imports ${specifier}: no such file`;
    }
  }
}

function isPackage(specifier: string): boolean {
  return !specifier.startsWith("src/") && specifier !== "mod.ts" && !specifier.includes(":");
}

function* entryReach(graph: Graph, entry: string): Iterable<string> {
  if (!graph.has(entry)) return; // check_exports says so
  const allowed = PACKAGES[entry] ?? [];
  const forbidden = FORBIDDEN[entry] ?? [];
  for (const [specifier, by] of reachable(graph, entry)) {
    if (isPackage(specifier) && !allowed.includes(specifier)) {
      yield `${entry}: reaches package ${specifier} (imported by ${by}); allowed: ${
        allowed.join(", ") || "none"
      }`;
    }
    if (forbidden.some((prefix) => specifier.startsWith(prefix))) {
      yield `${entry}: reaches ${specifier} (imported by ${by}), which it must not know`;
    }
  }
}

/**
 * Checks a tree.
 *
 * @param root The checkout, or a copy of it.
 * @returns One line for each violation.
 */
export function checkSeam(root: string): string[] {
  const graph = readGraph(root);
  const problems: string[] = [];
  for (const module of graph.values()) {
    problems.push(...unknownFiles(graph, module));
    if (module.path.startsWith("src/runtime/")) continue;
    problems.push(...runtimeNames(module), ...doors(module));
    if (isCore(module.path)) problems.push(...coreKnowsNoProtocol(module));
  }
  for (const entry of Object.keys(PACKAGES)) problems.push(...entryReach(graph, entry));
  const cycle = findCycle(graph);
  if (cycle !== undefined) problems.push(`import cycle: ${cycle.join(" -> ")}`);
  return problems;
}

if (import.meta.main) {
  const problems = checkSeam(process.argv[2] ?? ROOT);
  for (const problem of problems) console.log(`seam: ${problem}`);
  if (problems.length === 0) console.log("seam: kept");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
