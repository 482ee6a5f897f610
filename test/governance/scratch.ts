/**
 * A repository of its own with this tree in it, to be sabotaged.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../harness.ts";
import { type Run, run } from "../cli/terminal.ts";

/** See the module. */
export interface Scratch extends Disposable {
  readonly root: string;
  /** Changes a file; fails when that changes nothing. */
  edit(path: string, change: (text: string) => string): void;
  /** As it was committed. */
  restore(): void;
  /** Runs git in it. */
  git(...args: string[]): string;
  /** Runs a command of `governance` on it. */
  governance(...args: string[]): Promise<Run>;
}

/**
 * Lays the tree out as it is now, edits that are not committed included.
 *
 * @param tag A release tag for its one commit, if any.
 */
export function scratch(tag?: string): Scratch {
  const root = mkdtempSync(join(tmpdir(), "ron-sabotage-"));
  const git = (...args: string[]): string =>
    execFileSync("git", [
      "-C",
      root,
      "-c",
      "user.name=mia",
      "-c",
      "user.email=mia@example.com",
      ...args,
    ], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const listed = execFileSync(
    "git",
    ["-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { encoding: "utf8", maxBuffer: 16 << 20 },
  );
  for (const path of listed.split("\0")) {
    // Figures and vectors are no part of what is judged.
    if (path === "" || /^(?:bench|test\/vectors|test\/fuzz)\//.test(path)) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(ROOT, path), join(root, path));
  }
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(root, ".git/info/exclude"), "node_modules\n");
  git("add", "--all");
  git("commit", "--quiet", "--message", "As released");
  if (tag !== undefined) git("tag", tag);
  return {
    root,
    git,
    edit(path, change) {
      const before = readFileSync(join(root, path), "utf8");
      const after = change(before);
      if (after === before) throw new Error(`${path}: the edit changed nothing`);
      writeFileSync(join(root, path), after);
    },
    restore: () => void git("checkout", "--quiet", "--force", "HEAD", "--", "."),
    governance: (...args) => run("governance", ...args, "--root", root),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}
