/**
 * The second seam: what a command-line program needs of its host beside sockets.
 *
 * Streams, environment, signals and the terminal, on `node:` modules, which all three runtimes have.
 * Files are in `host_files.ts`, child processes in `host_child.ts`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";

export { parseArgs };

/** The runtimes that this package runs on. */
export type RuntimeName = "deno" | "bun" | "node";

/** Everything in {@linkcode RuntimeName}. */
export const RUNTIME_NAMES: readonly RuntimeName[] = Object.freeze(["deno", "bun", "node"]);

/** The process this code runs in. */
export interface ProcessFacts {
  readonly runtime: RuntimeName;
  readonly version: string;
  readonly pid: number;
  /** The runtime's own executable. */
  readonly executable: string;
  /** Arguments after the script. */
  readonly args: readonly string[];
}

/** Describes the running process. */
export function processFacts(): ProcessFacts {
  const { deno, bun } = process.versions as Record<string, string | undefined>;
  const runtime = deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node";
  return {
    runtime,
    version: deno ?? bun ?? process.version.replace(/^v/, ""),
    pid: process.pid,
    executable: process.execPath,
    args: process.argv.slice(2),
  };
}

/** The value of an environment variable, if it is set. */
export function env(name: string): string | undefined {
  return process.env[name];
}

/** All environment variables. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** One of the two output streams. */
export interface Output {
  /** Whether a person looks at it. */
  readonly terminal: boolean;
  /** Its width in columns; 80 where unknown. */
  readonly columns: number;
  /** Writes text; resolves once the stream took it. A reader that went away is no error. */
  write(text: string): Promise<void>;
}

/** Standard output (1) or standard error (2). */
export function output(fd: 1 | 2): Output {
  const stream = fd === 1 ? process.stdout : process.stderr;
  return {
    terminal: stream.isTTY === true,
    columns: stream.columns || 80,
    write: (text) => new Promise((done) => void stream.write(text, () => done())),
  };
}

/** Lines of standard input, until it ends. */
export function inputLines(): AsyncIterable<string> {
  return splitLines(process.stdin);
}

/** Ends the process now. */
export function exit(code: number): never {
  process.exit(code);
}

/** Calls back on every Ctrl-C or request to terminate. Returns how to stop listening. */
export function onInterrupt(callback: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, callback);
  return () => {
    for (const signal of signals) process.off(signal, callback);
  };
}

/** Calls back on every hang-up signal (SIGHUP). Returns how to stop listening. */
export function onHangup(callback: () => void): () => void {
  process.on("SIGHUP", callback);
  return () => void process.off("SIGHUP", callback);
}

/** Memory of this process, in bytes. */
export interface MemoryUse {
  /** Resident set. */
  readonly rss: number;
  /** JavaScript objects and the buffers they hold. */
  readonly heap: number;
}

/** Measures the memory of this process. */
export function memoryUse(): MemoryUse {
  const use = process.memoryUsage();
  return { rss: use.rss, heap: use.heapUsed + use.external };
}

/** Only the resident set, in bytes; cheap enough to ask often. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/**
 * The most memory that a process ever had resident, in bytes, as the operating system counts it.
 *
 * @returns `undefined` where that cannot be read; sample {@linkcode memoryUse} there.
 */
export function residentPeak(pid: number): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

const LONGEST_LINE = 1_048_576;

/** Splits a stream of bytes into its lines. Throws on one that is longer than 1 MiB. */
export async function* splitLines(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new Error("a line of more than 1 MiB");
    yield* parts;
  }
  if (rest !== "") yield rest;
}
