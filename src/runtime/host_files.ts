/**
 * Files, for the command line: read and written in pieces, never whole.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export { basename, join, resolve };

/** A running SHA-256. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** The digest in lowercase hex; nothing can be added afterwards. */
  hex(): string;
}

/** Starts a SHA-256. */
export function sha256(): Digest {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** A file open for reading. */
export interface InputFile {
  readonly size: number;
  /** Fills `into` from where the last read ended. Returns the bytes read; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Opens a regular file for reading. */
export async function openInput(path: string): Promise<InputFile> {
  const file = await open(path, "r");
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw Object.assign(new Error("not a regular file"), { code: "ENOTFILE" });
    return {
      size: facts.size,
      read: async (into) => (await file.read(into, 0, into.byteLength, null)).bytesRead,
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A new file open for writing. */
export interface OutputFile {
  /**
   * Appends all of `bytes`, at once: what the system holds of a file costs less to write than to hash,
   * and a receiver that waits for each piece falls behind its peer, with all that came in memory.
   */
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** Creates a file that only its owner can read. Fails where the path exists, also as a link. */
export async function createOutput(path: string): Promise<OutputFile> {
  const file = await open(path, "wx", 0o600);
  return {
    write(bytes) {
      for (let at = 0; at < bytes.byteLength;) {
        at += writeSync(file.fd, bytes, at, bytes.byteLength - at, null);
      }
    },
    close: () => file.close(),
  };
}

/** A file that only grows. */
export interface AppendFile {
  /** Appends a text in one write; resolves once the system has it. */
  append(text: string): Promise<void>;
  /** Has it stored, and closes it. Idempotent. */
  close(): Promise<void>;
}

/** Opens a file to append to; one that is new can only be read by its owner. */
export async function appendOnly(path: string): Promise<AppendFile> {
  const file = await open(path, "a", 0o600);
  let closed: Promise<void> | undefined;
  return {
    append: (text) => file.appendFile(text),
    close: () => closed ??= file.sync().catch(() => undefined).then(() => file.close()),
  };
}

/** Reads a text file. */
export function readText(path: string): Promise<string> {
  return readFile(path, "utf8");
}

/** Writes a text file that anyone may read. */
export function writeText(path: string, text: string): Promise<void> {
  return writeFile(path, text);
}

/** Moves a file into place, replacing what is there. */
export function moveFile(from: string, to: string): Promise<void> {
  return rename(from, to);
}

/** Removes a file or a directory with all it holds; nothing there is no error. */
export function removePath(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

/** Makes a directory, and its parents. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Makes a fresh directory for temporary files, for its owner only. */
export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "ron-transport-"));
}

/** Whether the path is a directory. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** The system's name of an error, such as `ENOENT`, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" && code !== "" ? code : undefined;
}

/** Reads a text file; `undefined` where there is none. */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes a link to a file or a directory. */
export function linkPath(target: string, path: string): Promise<void> {
  return symlink(target, path);
}

/** A path as a `file:` URL. */
export function fileUrl(path: string): string {
  return pathToFileURL(path).href;
}

/** The directory that commands work in. */
export function workingDirectory(): string {
  return resolve(".");
}
