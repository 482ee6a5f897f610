/**
 * The lowest supported versions, read from the one place that holds each.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../test/runtimes.ts";

/** Reads a text file of the checkout. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Lowest supported Rust: `rust-version` of the workspace. */
export function msrv(): string {
  const path = "wasm/Cargo.toml";
  if (!existsSync(join(ROOT, path))) return "0";
  return /^rust-version\s*=\s*"([^"]+)"/m.exec(read(path))?.[1] ?? "0";
}

/** Lowest supported Deno, Bun and Node: `engines` of package.json. */
export function engines(): Record<"deno" | "bun" | "node", string> {
  const { engines } = JSON.parse(read("package.json")) as { engines: Record<string, string> };
  const lowest = (name: string): string => (engines[name] ?? "").replace(/^>=/, "");
  return { deno: lowest("deno"), bun: lowest("bun"), node: lowest("node") };
}

/** Whether version `a` is newer than version `b`; missing parts are 0. */
export function newer(a: string, b: string): boolean {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
