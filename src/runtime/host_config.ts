/**
 * Configuration and key files: read whole within a bound, with what the system says of them, and
 * watched.
 *
 * @module
 */

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { constants, watch } from "node:fs";
import { access, open, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";

export { privateDirectoryFault, socketDirectoryFault } from "./unix_socket.ts";

/** A small file as it was when it was opened. */
export interface SmallFile {
  readonly bytes: Uint8Array;
  /** Permission bits; `undefined` where the system has none. */
  readonly mode: number | undefined;
  /** When it was last written, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** Why a file is not read; `system` has the system's error in `cause`. */
export type FileFault = "missing" | "not_a_file" | "too_large" | "system";

/** A file that is not read. */
export class FileError extends Error {
  readonly fault: FileFault;

  /**
   * @param fault Why.
   * @param cause What the system said.
   */
  constructor(fault: FileFault, cause?: unknown) {
    super(`the file is not read: ${fault}`, { cause });
    this.fault = fault;
  }
}

/**
 * Reads a regular file of at most `most` bytes. Size and mode are those of what was opened, whatever
 * becomes of the path meanwhile.
 *
 * @throws {FileError} Why it is not read.
 */
export async function readSmall(path: string, most: number): Promise<SmallFile> {
  // Opening a pipe would wait for a writer.
  const file = await open(path, NON_BLOCKING).catch(openFault);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new FileError("not_a_file");
    if (facts.size > most) throw new FileError("too_large");
    // One more than the size, to see that it did not grow.
    const bytes = new Uint8Array(facts.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    if (length > facts.size) {
      throw new FileError("system", new Error("it changed while being read"));
    }
    return {
      bytes: bytes.subarray(0, length),
      mode: WINDOWS ? undefined : facts.mode & 0o777,
      modifiedMs: facts.mtimeMs,
    };
  } finally {
    await file.close();
  }
}

const WINDOWS = process.platform === "win32";
const NON_BLOCKING = WINDOWS ? "r" : 0o4000;

function openFault(error: unknown): never {
  const code = (error as { code?: unknown } | null)?.code;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  throw new FileError(missing ? "missing" : "system", error);
}

/** SHA-256 of bytes, in lowercase hex. */
export function sha256Of(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** What is wrong with a certificate chain and its key, as PEM. */
export type MaterialFault = "certificate" | "key" | "pair";

/**
 * Whether a chain and a private key are readable and belong together.
 *
 * @returns What is wrong, or `undefined`.
 */
export function materialFault(cert: Uint8Array, key: Uint8Array): MaterialFault | undefined {
  const leaf = attempt(() => new X509Certificate(cert));
  if (leaf === undefined) return "certificate";
  const secret = attempt(() => createPrivateKey({ key: new TextDecoder().decode(key) }));
  if (secret === undefined) return "key";
  // Where it cannot be told, the TLS library tells when it takes both.
  return attempt(() => leaf.checkPrivateKey(secret)) === false ? "pair" : undefined;
}

/** Whether PEM holds at least one certificate, and every one can be read. */
export function holdsCertificates(pem: Uint8Array): boolean {
  const blocks = new TextDecoder().decode(pem)
    .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 &&
    blocks.every((block) => attempt(() => new X509Certificate(block)) !== undefined);
}

/** Whether this process could write to a file. */
export function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(() => true, () => false);
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/**
 * Calls back when something changes in the folders that hold the files, links followed: files are
 * mostly replaced, which a watch on a file itself does not see.
 *
 * @param paths The files; one that is missing is watched for in its folder.
 * @returns How to stop; and the folders that cannot be watched.
 */
export async function watchFiles(
  paths: readonly string[],
  callback: () => void,
): Promise<{ stop(): void; unwatched: readonly string[] }> {
  const folders = new Set<string>();
  for (const path of paths) {
    folders.add(dirname(path));
    const real = await realpath(path).catch(() => undefined);
    if (real !== undefined) folders.add(dirname(real));
  }
  const unwatched: string[] = [];
  const watchers = [...folders].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, () => callback());
      watcher.on("error", () => watcher.close());
      return [watcher];
    } catch {
      unwatched.push(folder);
      return [];
    }
  });
  return {
    stop: () => {
      for (const watcher of watchers) watcher.close();
    },
    unwatched,
  };
}
