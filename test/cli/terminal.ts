/**
 * The command line run inside the test's own process, with what it writes caught.
 *
 * @module
 */

import { runProgram } from "../../src/cli/program.ts";
import type { Output } from "../../src/runtime/host.ts";

/** What a run came to. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Something that looks like an output stream, and what was written to it. */
export function caught(terminal = false): Output & { readonly text: () => string } {
  const parts: string[] = [];
  return {
    terminal,
    columns: 80,
    write(text) {
      parts.push(text);
      return Promise.resolve();
    },
    text: () => parts.join(""),
  };
}

/** Runs the program with arguments. */
export async function run(...args: string[]): Promise<Run> {
  const [out, err] = [caught(), caught()];
  const code = await runProgram(args, { out, err });
  return { code, out: out.text(), err: err.text() };
}
