/**
 * What a path of a Unix socket must be.
 *
 * @module
 */

/** Longest path in bytes: the kernel's field has 108, and one of them ends it. */
const MOST_BYTES = 107;

/**
 * What is wrong with a path, for people.
 *
 * @param path A path.
 * @returns What it must be instead, or `undefined` when it can be used.
 */
export function unixPathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "must be an absolute path, such as /run/app/app.sock";
  if (path.includes("\0")) return "must be a path without NUL bytes";
  const bytes = new TextEncoder().encode(path).length;
  return bytes > MOST_BYTES
    ? `must be a path of at most ${MOST_BYTES} bytes, as the kernel takes no more, and has ${bytes}`
    : undefined;
}
