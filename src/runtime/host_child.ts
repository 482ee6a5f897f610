/**
 * Child processes: this same program, in this or another runtime.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { processFacts, type RuntimeName, splitLines } from "./host.ts";

/** A child process whose standard input and output this process holds; its messages pass through. */
export interface Child {
  readonly pid: number;
  /** Lines of its output, until that ends. */
  readonly lines: AsyncIterable<string>;
  /** Writes one line to its input. */
  send(line: string): void;
  /** Ends its input. */
  endInput(): void;
  /** Asks it to terminate, or ends it at once. */
  kill(how: "ask" | "now"): void;
  /** Its exit code; 128 + the number of the signal that ended it. */
  readonly exited: Promise<number>;
}

/**
 * What `serve` and `send` may do, and when memory is to be freed: TLS under Deno makes new buffers for
 * each read. A small young generation has them collected by tens of MiB rather than by a hundred, and
 * sweeping them at once does not leave that to a thread which waits for a processor.
 */
const DENO_FLAGS: readonly string[] = Object.freeze([
  ...[
    "run",
    "--quiet",
    "--no-prompt",
    "--v8-flags=--max-semi-space-size=1,--no-concurrent-array-buffer-sweeping",
  ],
  ...["read", "write", "env", "sys", "net"].map((name) => `--allow-${name}`),
]);
const SELF = import.meta.url;
const SCRIPT = SELF.endsWith(".ts") ? "../cli/main.ts" : "../cli/main.js";

/**
 * Starts this program's command line in a runtime, as another process.
 *
 * @param runtime Which runtime: this one's own executable, or one found by {@linkcode findRuntime}.
 * @param args Arguments of the command line; paths in them must be absolute.
 * @throws When that runtime, or the compiled form it needs, is not there.
 */
export async function spawnSelf(runtime: RuntimeName, args: readonly string[]): Promise<Child> {
  const own = processFacts();
  const binary = runtime === own.runtime ? own.executable : findRuntime(runtime);
  if (binary === undefined) throw new Error(`${runtime} is neither in node_modules nor in PATH`);
  const flags = runtime === "deno" ? DENO_FLAGS : [];
  return await start(binary, [...flags, entryFor(runtime), ...args]);
}

/** Where the executable of a runtime is, if it is anywhere: in a `node_modules` above, or in `PATH`. */
export function findRuntime(runtime: RuntimeName): string | undefined {
  const installed = ancestors().flatMap((folder) => {
    return packagedIn(join(folder, "node_modules"), runtime).filter(isProgram);
  });
  const path = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, runtime));
  return [...installed, ...path.filter((file) => existsSync(file))][0];
}

/** Where npm and Deno put the programs; the plain build first, where several are installed. */
function packagedIn(modules: string, runtime: RuntimeName): string[] {
  const platform = `${process.platform}-${process.arch}`;
  if (runtime === "deno") {
    return [join(modules, `@deno/${platform}-glibc/deno`), join(modules, `@deno/${platform}/deno`)];
  }
  if (runtime !== "bun") return [];
  const name = `bun-${platform}`;
  const nested = join(modules, ".deno");
  const entries = existsSync(nested) ? readdirSync(nested) : [];
  return [
    join(modules, "@oven", name, "bin/bun"),
    ...entries.filter((entry) => entry.startsWith(`@oven+${name}@`))
      .map((entry) => join(nested, entry, "node_modules/@oven", name, "bin/bun")),
    join(modules, "bun/bin/bun.exe"),
  ];
}

/** npm's `bun` is a short text until its install script has run. */
function isProgram(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 1_048_576;
}

function entryFor(runtime: RuntimeName): string {
  const script = new URL(SCRIPT, SELF);
  if (script.protocol !== "file:") {
    if (runtime === "deno") return script.href;
    throw new Error(`${runtime} cannot run ${script.href}: install the package from npm`);
  }
  if (runtime !== "node" || SCRIPT.endsWith(".js")) return fileURLToPath(script);
  const compiled = join(packageRoot() ?? "", ".build/src/cli/main.js");
  if (existsSync(compiled)) return compiled;
  throw new Error(`node needs the compiled form, and ${compiled} is not there: build it first`);
}

/** Folders from this file's up to the root; none when the program was loaded from elsewhere. */
function ancestors(): string[] {
  if (!SELF.startsWith("file:")) return [];
  const found: string[] = [];
  for (let at = dirname(fileURLToPath(SELF)); at !== found.at(-1); at = resolve(at, "..")) {
    found.push(at);
  }
  return found;
}

function packageRoot(): string | undefined {
  return ancestors().find((folder) => existsSync(join(folder, "package.json")));
}

async function start(binary: string, args: readonly string[]): Promise<Child> {
  const cwd = packageRoot();
  const child = spawn(binary, args, {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = new Promise<number>((done) => {
    child.on("exit", (code, by) => {
      done(code ?? 128 + (by === null ? 0 : constants.signals[by]));
    });
  });
  await new Promise<void>((done, fail) => void child.on("spawn", done).on("error", fail));
  // A child that went away first is no error here: its exit code tells.
  child.stdin.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    lines: splitLines(child.stdout),
    send: (line) => void child.stdin.write(line + "\n"),
    endInput: () => void child.stdin.end(),
    // Not child.kill: after it, Deno reports the signal even of a child that ended in order.
    kill: (how) => signal(child.pid, how === "ask" ? "SIGTERM" : "SIGKILL"),
    exited,
  };
}

function signal(pid: number | undefined, name: "SIGTERM" | "SIGKILL"): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}
