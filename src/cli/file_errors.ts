/**
 * Errors of files, said in one line.
 *
 * @module
 */

import { type ErrorKind, TransportError } from "../errors.ts";
import { systemCode } from "../runtime/host_files.ts";

const WHY: Readonly<Record<string, string>> = Object.freeze({
  ENOENT: "there is no such file",
  ENOTFILE: "it is not a regular file",
  EISDIR: "it is a directory",
  EACCES: "this user may not",
  EPERM: "this user may not",
  ENOTDIR: "a part of the path is not a directory",
  EEXIST: "it is there already",
  ENOSPC: "the disk is full",
});

/**
 * An error of the file system as the program tells it.
 *
 * @param wanted What was to be done, such as `read FILE`.
 * @param path Where.
 * @param error What the system said.
 * @param remedy What to do.
 * @param kind Decides the exit code.
 */
export function fileError(
  wanted: string,
  path: string,
  error: unknown,
  remedy: string,
  kind: ErrorKind,
): TransportError {
  const code = systemCode(error);
  const why = WHY[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
  return new TransportError(kind, `cannot ${wanted} ${path}: ${why}; ${remedy}`, {
    op: "file",
    cause: error,
  });
}
