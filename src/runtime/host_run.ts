/**
 * Programs that are run to their end, for tools of a checkout.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";

/** A program that has ended. */
export interface Ran {
  /** Its exit code; -1 when it could not start, was killed or took too long. */
  readonly code: number;
  readonly stdout: string;
  /** What it said, and why it could not start. */
  readonly stderr: string;
}

/** How to run it. */
export interface RunOptions {
  /** @default this process's own */
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed. @default {120000} */
  readonly timeoutMs?: number;
}

/** Most that is kept of each stream, in characters. */
const MOST = 64 << 20;

/**
 * Runs a program to its end; never rejects.
 *
 * @param program Its name or path.
 * @param args Its arguments.
 * @param options Where, with what, how long.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { cwd, env, timeoutMs = 120_000 } = options;
  return new Promise((done) => {
    const child = spawn(program, [...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < MOST) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < MOST) stderr += text;
    });
    let late = false;
    // Not child.kill: after it, Deno reports the signal even of a child that ended in order.
    const timer = setTimeout(() => {
      late = true;
      try {
        if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    }, timeoutMs);
    const end = (code: number, why: string): void => {
      clearTimeout(timer);
      done({ code, stdout, stderr: stderr + why });
    };
    child.once("error", (error) => end(-1, `${program}: ${error.message}`));
    child.once("close", (code) => {
      if (late) end(-1, `${program}: killed, no end after ${timeoutMs / 1_000} s`);
      else end(code ?? -1, "");
    });
  });
}
