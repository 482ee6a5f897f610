/**
 * The import graph of the library: which file imports which, and what that pulls in.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Import, importsOf } from "./source.ts";

/** One file and its imports; specifiers of local files are resolved to paths from the root. */
export interface Module {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Files by path from the root. */
export type Graph = ReadonlyMap<string, Module>;

function resolve(root: string, from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(root, join(root, dirname(from), specifier)).replaceAll("\\", "/");
}

/** Reads mod.ts and all of src/. */
export function readGraph(root: string): Graph {
  const files = existsSync(join(root, "mod.ts")) ? ["mod.ts"] : [];
  for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    files.push(relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  }
  const graph = new Map<string, Module>();
  for (const path of files.sort()) {
    const text = readFileSync(join(root, path), "utf8");
    const imports = importsOf(text).map((one) => ({
      ...one,
      specifier: resolve(root, path, one.specifier),
    }));
    graph.set(path, { path, text, imports });
  }
  return graph;
}

/** What an entry reaches, types included: each specifier with the file that imports it. */
export function reachable(graph: Graph, entry: string): Map<string, string> {
  const reached = new Map<string, string>([[entry, "(entry)"]]);
  for (const path of reached.keys()) {
    for (const { specifier } of graph.get(path)?.imports ?? []) {
      if (!reached.has(specifier)) reached.set(specifier, path);
    }
  }
  return reached;
}

/** A cycle of value imports, as the paths on it, or `undefined` when there is none. */
export function findCycle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] | undefined => {
    if (done.has(path)) return undefined;
    const at = trail.indexOf(path);
    if (at !== -1) return [...trail.slice(at), path];
    trail.push(path);
    for (const { specifier, typeOnly } of graph.get(path)?.imports ?? []) {
      if (typeOnly || !graph.has(specifier)) continue;
      const cycle = visit(specifier);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
