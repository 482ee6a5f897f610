/**
 * Starts a program of this repository under any of the three runtimes.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { BUILD, findRuntime, ROOT, type RuntimeName } from "./runtimes.ts";

/** How to start it. */
export interface SpawnOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Permission flags for Deno. @default read, write, env, sys, run and loopback */
  readonly denoFlags?: readonly string[];
  /** Flags for Node. @default {[]} */
  readonly nodeFlags?: readonly string[];
  /** Whether {@linkcode Spawned.write} is wanted; its stdin is closed otherwise. @default {false} */
  readonly input?: boolean;
  /** Most descriptors it may have open, as `ulimit -n` sets it. @default this process's own */
  readonly descriptors?: number;
}

/** How it ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running child. */
export interface Spawned {
  readonly runtime: RuntimeName;
  readonly pid: number;
  /** Lines of stdout, as they come. */
  readonly lines: AsyncIterable<string>;
  /** The next line of stdout; fails, with stderr in the message, when there is none. */
  nextLine(): Promise<string>;
  /** Writes a line to its stdin; see {@linkcode SpawnOptions.input}. */
  write(line: string): void;
  /** What came on stderr so far. */
  stderr(): string;
  /** Resolves once, when the process is gone and its output is read. */
  readonly exit: Promise<Exit>;
  /** Sends a signal. @param signal @default {"SIGTERM"} */
  kill(signal?: NodeJS.Signals): void;
  /** Kills it if it still runs, and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

const DENO_FLAGS: readonly string[] = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-net=127.0.0.1,localhost,[::1]",
];

function commandLine(
  runtime: RuntimeName,
  entry: string,
  args: readonly string[],
  options: SpawnOptions,
): [string, string[]] {
  const flags = options.denoFlags ?? DENO_FLAGS;
  const program = findRuntime(runtime);
  if (program === undefined) {
    throw new Error(`${runtime} was not found: run \`deno task test\`, which installs it`);
  }
  if (runtime === "deno") return [program, ["run", ...flags, join(ROOT, entry), ...args]];
  if (runtime === "bun") return [program, [join(ROOT, entry), ...args]];
  const compiled = join(BUILD, entry.replace(/\.ts$/, ".js"));
  if (!existsSync(compiled)) {
    throw new Error(`${compiled} is missing: \`deno task test\` compiles it for Node`);
  }
  return [program, [...options.nodeFlags ?? [], "--enable-source-maps", compiled, ...args]];
}

/** The same command below a shell that lowers the bound on descriptors, and then becomes it. */
function bounded(command: [string, string[]], descriptors: number | undefined): [string, string[]] {
  if (descriptors === undefined) return command;
  const [program, argv] = command;
  return ["sh", ["-c", `ulimit -n ${descriptors}; exec "$0" "$@"`, program, ...argv]];
}

/**
 * Starts a module of this repository.
 *
 * @param runtime Which runtime.
 * @param entry Path of the module from the root, e.g. `src/cli/main.ts`; Node gets its compiled form.
 * @param args Arguments for the program.
 * @param options Environment and permissions.
 * @returns The child; dispose of it.
 */
export function spawnRuntime(
  runtime: RuntimeName,
  entry: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Spawned {
  const command = commandLine(runtime, entry, args, options);
  const [program, argv] = bounded(command, options.descriptors);
  const child = spawn(program, argv, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: [options.input === true ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const stdout = child.stdout as Readable;
  const stderr = child.stderr as Readable;
  // It may be gone before it has read everything: its exit tells, not the broken pipe.
  child.stdin?.on("error", () => {});
  let errors = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  exit.catch(() => {}); // whoever awaits it gets the error; nobody has to
  // Not `child.kill`: after it, Deno reports the signal although the program chose an exit code.
  const kill = (signal: NodeJS.Signals = "SIGTERM"): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(child.pid, signal);
  };
  const reader = createInterface({ input: stdout, crlfDelay: Infinity });
  const lines = reader[Symbol.asyncIterator]();
  return {
    runtime,
    pid: child.pid ?? -1,
    lines: { [Symbol.asyncIterator]: () => lines },
    async nextLine(): Promise<string> {
      const next = await lines.next();
      if (next.done !== true) return next.value;
      const { code, signal } = await exit;
      throw new Error(`${runtime} ${entry} ended (${signal ?? code}) with no line: ${errors}`);
    },
    write(line: string): void {
      child.stdin?.write(`${line}\n`);
    },
    stderr: () => errors,
    exit,
    kill,
    async [Symbol.asyncDispose](): Promise<void> {
      if (child.exitCode === null && child.signalCode === null) kill("SIGKILL");
      await exit.catch(() => {});
      reader.close();
    },
  };
}
