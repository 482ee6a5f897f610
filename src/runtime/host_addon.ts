/**
 * Native addons, and what must be done before the process ends.
 *
 * @module
 */

import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import process from "node:process";

/** Why an addon is not loaded. */
export type AddonFault = "missing" | "permission" | "broken";

/** An addon that is not loaded. */
export class AddonLoadError extends Error {
  readonly fault: AddonFault;
  /** Its file or package. */
  readonly path: string;

  /**
   * @param fault Why.
   * @param path Its file or package.
   * @param what What is wrong, in words.
   * @param cause What the runtime said.
   */
  constructor(fault: AddonFault, path: string, what: string, cause?: unknown) {
    super(`${path}: ${what}`, { cause });
    this.fault = fault;
    this.path = path;
  }
}

/** What an addon exports, and its file. */
export interface LoadedModule {
  readonly exports: unknown;
  readonly path: string;
}

/**
 * Loads an addon: a package, looked for from this module and then from the working directory, or the path
 * of a file.
 *
 * @param name The package or the path; relative ones are of the working directory.
 * @throws {AddonLoadError} Why it is not loaded.
 */
export function loadAddon(name: string): LoadedModule {
  const places = isFile(name)
    ? [undefined]
    : [import.meta.url, join(process.cwd(), "package.json")];
  const file = isAbsolute(name) ? name : join(process.cwd(), name);
  let path = name;
  for (const place of places) {
    try {
      const require = createRequire(place !== undefined && canRequire(place) ? place : file);
      path = require.resolve(place === undefined ? file : name);
      return { exports: require(path), path };
    } catch (cause) {
      const error = loadError(path, cause);
      if (error.fault !== "missing") throw error;
    }
  }
  throw new AddonLoadError("missing", name, "it is not there");
}

/**
 * Calls back when the process ends by itself, by `exit`, or by an error nobody caught. A signal that nobody
 * listens to ends it without.
 *
 * @param callback Runs synchronously.
 * @returns How to call it off.
 */
export function onExit(callback: () => void): () => void {
  process.on("exit", callback);
  return () => void process.off("exit", callback);
}

/**
 * Waits, and keeps the process alive meanwhile: a deadline's timer does not, and an addon that only sleeps
 * does not either.
 */
export async function heldOpen<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, LONGEST_MS);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

const LONGEST_MS = 2_147_483_647;

/** A module that came over the network has no folder to look from. */
function canRequire(place: string): boolean {
  return place.startsWith("file:") || isAbsolute(place);
}

function isFile(name: string): boolean {
  return name.endsWith(".node") || name.endsWith(".js") || isAbsolute(name);
}

function loadError(path: string, cause: unknown): AddonLoadError {
  const { code, name } = (cause ?? {}) as { code?: unknown; name?: unknown };
  if (code === "MODULE_NOT_FOUND" || code === "ENOENT") {
    return new AddonLoadError("missing", path, "it is not there", cause);
  }
  if (name === "NotCapable" || name === "PermissionDenied" || code === "EACCES") {
    return new AddonLoadError("permission", path, "it may not be loaded", cause);
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  return new AddonLoadError("broken", path, text.split("\n", 1)[0]!.slice(0, 300), cause);
}
