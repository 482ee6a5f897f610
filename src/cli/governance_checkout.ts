/**
 * A checkout of this repository and its other revisions, through git.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import {
  join,
  linkPath,
  readTextIfAny,
  removePath,
  resolve,
  temporaryDirectory,
  workingDirectory,
} from "../runtime/host_files.ts";
import { type Ran, runProgram } from "../runtime/host_run.ts";

const PACKAGE = "@ron/transport";

/**
 * The root of the checkout that a folder is in.
 *
 * @param from Where to look from. @default The working directory.
 * @throws {TransportError} `misuse` outside a checkout.
 */
export async function checkoutRoot(from: string = workingDirectory()): Promise<string> {
  const start = resolve(from);
  for (let at = start;; at = resolve(at, "..")) {
    const text = await readTextIfAny(join(at, "deno.json"));
    if (text?.includes(`"name": "${PACKAGE}"`)) return at;
    if (at === resolve(at, "..")) break;
  }
  throw new TransportError(
    "misuse",
    `${start} is in no checkout of ${PACKAGE}: run this in one, or name it with --root DIR`,
    { op: "governance" },
  );
}

/** Runs git in a checkout. */
export function git(root: string, ...args: string[]): Promise<Ran> {
  return runProgram("git", ["-C", root, ...args], { env: { GIT_OPTIONAL_LOCKS: "0" } });
}

/** What a checkout is compared with. */
export interface Base {
  /** Its commit. */
  readonly commit: string;
  /** Why this one, for people. */
  readonly why: string;
}

/**
 * Chooses what to compare with: what was asked for; else the last release tag; else where this branch left
 * `main`; else the commit before.
 *
 * @returns The base, or why there is none: no git here, or a clone of a single commit.
 * @throws {TransportError} `misuse` for a revision that is asked for and not here.
 */
export async function chooseBase(root: string, asked: string | undefined): Promise<Base | string> {
  const resolved = async (rev: string): Promise<string | undefined> => {
    const { code, stdout } = await git(root, "rev-parse", "--verify", "--quiet", `${rev}^{commit}`);
    return code === 0 ? stdout.trim() : undefined;
  };
  if (asked !== undefined) {
    const commit = await resolved(asked);
    if (commit !== undefined) return { commit, why: asked };
    throw new TransportError(
      "misuse",
      `${asked} is no revision of ${root}: fetch it first (a shallow clone has only its own)`,
      { op: "governance" },
    );
  }
  const head = await resolved("HEAD");
  if (head === undefined) return "there is no git history here";
  const tag = await lastTag(root);
  if (tag !== undefined) {
    const commit = await resolved(tag);
    if (commit !== undefined) return { commit, why: `the last release, ${tag}` };
  }
  for (const branch of ["origin/main", "main"]) {
    const { code, stdout } = await git(root, "merge-base", "HEAD", branch);
    const commit = stdout.trim();
    if (code === 0 && commit !== head) return { commit, why: `where it left ${branch}` };
  }
  const parent = await resolved("HEAD~1");
  if (parent !== undefined) return { commit: parent, why: "the commit before" };
  return "this clone has a single commit (fetch more, or name one with --base)";
}

/** The last release tag that the checkout has in its history. */
export async function lastTag(root: string): Promise<string | undefined> {
  const { code, stdout } = await git(
    root,
    "describe",
    "--tags",
    "--abbrev=0",
    "--match",
    "v[0-9]*.[0-9]*.[0-9]*",
  );
  return code === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
}

/** Files that differ between a commit and the working tree, untracked ones included. */
export async function changedFiles(root: string, base: string): Promise<string[]> {
  const names = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await git(root, ...args);
    if (code === 0) return stdout.split("\0").filter((name) => name !== "");
    throw new TransportError("internal", `git ${args[0]} failed: ${stderr.trim()}`, {
      op: "governance",
    });
  };
  return [
    ...await names("diff", "--name-only", "-z", "--no-renames", base),
    ...await names("ls-files", "--others", "--exclude-standard", "-z"),
  ].sort();
}

/** A revision laid out as files, which disposing removes. */
export interface Tree extends AsyncDisposable {
  readonly root: string;
}

/**
 * Lays out a revision in a temporary directory, with the `node_modules` of the checkout. Neither the
 * checkout nor its index is touched.
 */
export async function layOut(root: string, commit: string): Promise<Tree> {
  const folder = await temporaryDirectory();
  const dispose = (): Promise<void> => removePath(folder);
  try {
    const env = { GIT_INDEX_FILE: join(folder, "index") };
    const tree = join(folder, "tree");
    for (
      const args of [["read-tree", commit], ["checkout-index", "--all", `--prefix=${tree}/`]]
    ) {
      const { code, stderr } = await runProgram("git", ["-C", root, ...args], { env });
      if (code !== 0) {
        throw new TransportError("internal", `git ${args[0]} failed: ${stderr.trim()}`, {
          op: "governance",
        });
      }
    }
    await linkPath(join(root, "node_modules"), join(tree, "node_modules"));
    return { root: tree, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
