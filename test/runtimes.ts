/**
 * Finds the executables of the three runtimes, and the root of the checkout.
 *
 * Used by scripts and by cross-runtime tests, so it runs on all three.
 *
 * @module
 */

import { existsSync, readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime that this library supports. */
export type RuntimeName = "deno" | "bun" | "node";

/** The runtime that executes this module. */
export function runtimeName(): RuntimeName {
  if (process.versions["bun"] !== undefined) return "bun";
  return process.versions["deno"] === undefined ? "node" : "deno";
}

/** The checkout: the nearest folder above this module that has a deno.json. */
export const ROOT: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Where the compiled tests and sources for Node are; `deno task test` writes it. */
export const BUILD: string = join(ROOT, ".build");

function findRoot(from: string): string {
  for (let dir = from; dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, "deno.json"))) return dir;
  }
  throw new Error(`no deno.json in ${from} or above it: run from a checkout of the repository`);
}

function works(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

/** npm's `bun` is a stub until its install script ran; the real program lies in a platform package. */
function bunPackages(): string[] {
  const found: string[] = [];
  for (const dir of [join(ROOT, "node_modules/@oven"), join(ROOT, "node_modules/.deno")]) {
    if (!existsSync(dir)) continue;
    for (const entry of readdirSync(dir)) {
      const name = entry.replace(/^@oven\+/, "").replace(/@[^@]*$/, "");
      if (!/^bun-(linux|darwin)-/.test(name)) continue;
      const inside = entry.startsWith("@oven+") ? join(entry, "node_modules/@oven", name) : entry;
      found.push(join(dir, inside, "bin/bun"));
    }
  }
  // the plain build before the musl one: both may be installed, and only one runs here
  return found.filter(existsSync).sort((a, b) => a.length - b.length);
}

const found = new Map<RuntimeName, string | undefined>();

function search(name: RuntimeName): string | undefined {
  if (runtimeName() === name) return process.execPath;
  const given = process.env[`RON_${name.toUpperCase()}`];
  if (given !== undefined && given !== "") return given;
  const candidates: string[] = [];
  if (name === "bun") candidates.push(...bunPackages());
  if (name !== "node") candidates.push(join(ROOT, "node_modules/.bin", name));
  candidates.push(name);
  return candidates.find(works);
}

/** Path of a runtime's executable, or `undefined` where there is none. */
export function findRuntime(name: RuntimeName): string | undefined {
  if (!found.has(name)) found.set(name, search(name));
  return found.get(name);
}
