/**
 * Copies of the tree, and the example of the README, for tests that package or break things.
 *
 * @module
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../runtimes.ts";

/** A folder that is removed at the end of its scope. */
export interface Folder extends Disposable {
  readonly path: string;
}

/** Makes an empty folder. */
export function emptyFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "ron-packaging-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Copies parts of the checkout into a new folder, and links its node_modules.
 *
 * @param parts Files and folders, relative to the root; those that do not exist are left out.
 */
export function copyOfTree(parts: readonly string[]): Folder {
  const folder = emptyFolder();
  const skip = /\/(?:node_modules|target|pkg|\.build|dist)$/;
  for (const part of parts) {
    if (!existsSync(join(ROOT, part))) continue;
    const filter = (path: string): boolean => !skip.test(path);
    cpSync(join(ROOT, part), join(folder.path, part), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder.path, "node_modules"));
  return folder;
}

/** A program that ended. */
export interface Ended {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/** Runs a program in a folder. */
export function runIn(folder: string, command: string, ...args: string[]): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", npm_config_update_notifier: "false" },
    timeout: 240_000,
  });
  return { code: status, output: `${stdout}${stderr}${error?.message ?? ""}` };
}

/** Runs a program and throws its output unless it succeeds. */
export function mustRun(folder: string, command: string, ...args: string[]): string {
  const { code, output } = runIn(folder, command, ...args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** The README's example: its first TypeScript block that imports the package. */
export function readmeExample(): string {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
  const example = blocks.find((code) => code.includes('"@ron/transport"'));
  if (example === undefined) throw new Error('README.md: no ```ts block imports "@ron/transport"');
  return example;
}

/** The Deno permission flags that the README gives for its example. */
export function readmeFlags(): string[] {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const line = /deno run ((?:--allow-\S+ )*)example\.ts/.exec(text)?.[1];
  if (line === undefined) {
    throw new Error("README.md: no `deno run --allow-… example.ts` says what the example needs");
  }
  return line.trim().split(" ").filter((flag) => flag !== "");
}
