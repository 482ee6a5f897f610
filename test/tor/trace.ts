/**
 * What a program wrote, started and listened on, out of a record of strace.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";

/** System calls that are recorded: all that can make, write, move or remove a file, or start a program. */
export const TRACED: string = [
  ...["open", "openat", "openat2", "creat", "truncate", "mkdir", "mkdirat", "mknod", "mknodat"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"],
  ...["unlink", "unlinkat", "rmdir", "memfd_create"],
  ...["execve", "execveat", "fork", "vfork", "clone", "clone3", "listen"],
].join(",");

/** Arguments of strace: all threads, descriptors with their paths, whole strings. */
export function straceArgs(file: string): string[] {
  return ["-f", "-y", "-s", "4096", "-e", `trace=${TRACED}`, "-e", "signal=none", "-o", file];
}

/** What a record says. */
export interface Trace {
  /** Paths that were opened for writing, made or moved to. */
  readonly written: readonly string[];
  /** Paths that were removed. */
  readonly removed: readonly string[];
  /** Programs that were started after the first, as recorded. */
  readonly started: readonly string[];
  /** Sockets that were listened on, as recorded. */
  readonly listened: readonly string[];
}

/** Paths among the arguments, each joined to the folder it is relative to. */
function paths(args: string, cwd: string): string[] {
  const found: string[] = [];
  let base = cwd;
  for (const [, dir, text] of args.matchAll(/(?:AT_FDCWD|\d+)<([^>]*)>|"((?:[^"\\]|\\.)*)"/g)) {
    if (dir !== undefined) base = dir;
    else if (text !== undefined) found.push(isAbsolute(text) ? text : join(base, text));
  }
  return found;
}

/** Lines of calls that succeeded; a call that another thread interrupted is put together again. */
function calls(record: string): { name: string; args: string }[] {
  const open = new Map<string, string>();
  const whole: { name: string; args: string }[] = [];
  for (const line of record.split("\n")) {
    const [, thread = "", text = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(text)?.[1];
    if (begun !== undefined) {
      open.set(thread, begun);
      continue;
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    const full = rest === undefined ? text : `${open.get(thread) ?? ""}${rest}`;
    const [, name, args, result] = /^(\w+)\((.*)\)\s+= (-?\d+|\?)/.exec(full) ?? [];
    if (name === undefined || args === undefined || result?.startsWith("-") === true) continue;
    whole.push({ name, args });
  }
  return whole;
}

/**
 * Reads a record.
 *
 * @param record What strace wrote.
 * @param cwd The program's working directory.
 */
export function readTrace(record: string, cwd: string): Trace {
  const trace = {
    written: [] as string[],
    removed: [] as string[],
    started: [] as string[],
    listened: [] as string[],
  };
  let first = true;
  for (const { name, args } of calls(record)) {
    const named = paths(args, cwd);
    if (/^(execve|fork|vfork|clone)/.test(name)) {
      // a thread is not a program; the first program is the one that was asked for
      if (name.startsWith("execve") && first) first = false;
      else if (!args.includes("CLONE_THREAD")) trace.started.push(`${name}(${args})`);
    } else if (name === "listen") trace.listened.push(args);
    else if (name.startsWith("open")) {
      if (/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE/.test(args)) trace.written.push(...named);
    } else if (/^(unlink|rmdir)/.test(name)) trace.removed.push(...named);
    else if (name === "memfd_create") continue; // memory by its nature
    else if (name.startsWith("rename")) {
      trace.removed.push(...named.slice(0, 1));
      trace.written.push(...named.slice(1));
    } else trace.written.push(...named.slice(-1));
  }
  return trace;
}
