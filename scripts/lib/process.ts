/**
 * Starts programs and keeps what they print. Works under Deno and Bun.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { ROOT } from "../../test/runtimes.ts";

/** A program that has ended. */
export interface Ran {
  /** Exit code; -1 when it could not start, was killed or took too long. */
  readonly code: number;
  /** What it printed, both streams in order of arrival. */
  readonly output: string;
  readonly ms: number;
}

/** How to run it. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds until it and what it started are killed. @default {600000} */
  readonly timeout?: number;
  /** Shows the output as it comes instead of only keeping it. */
  readonly show?: boolean;
}

/**
 * Runs a program to its end.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options Environment, folder, patience.
 */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { timeout = 600_000 } = options;
  const start = performance.now();
  return new Promise((resolve) => {
    let output = "";
    let late = false;
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, so that what it started can be ended with it
    });
    const signalGroup = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // already gone
      }
    };
    const forward = (): void => signalGroup("SIGTERM");
    process.once("SIGINT", forward).once("SIGTERM", forward);
    const take = (text: string): void => {
      output += text;
      if (options.show === true) process.stdout.write(text);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    const timer = setTimeout(() => {
      late = true;
      signalGroup("SIGKILL");
    }, timeout);
    const end = (code: number, note: string): void => {
      clearTimeout(timer);
      process.off("SIGINT", forward).off("SIGTERM", forward);
      resolve({ code, output: output + note, ms: performance.now() - start });
    };
    child.once("error", (error) => end(-1, `\n${command}: ${error.message}\n`));
    child.once("close", (code, signal) => {
      if (late) end(-1, `\n${command}: killed, no end after ${timeout / 1000} s\n`);
      else end(code ?? -1, signal === null ? "" : `\n${command}: ended by ${signal}\n`);
    });
  });
}

/** Seconds with one decimal, for people. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
