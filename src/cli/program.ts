/**
 * From arguments to a command, and from its outcome to an exit code.
 *
 * @module
 */

import { parseFor, PROGRAM, usageError } from "./args.ts";
import type { Command, Terminal } from "./command.ts";
import { config } from "./config.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { EXIT, failureOf } from "./exit_codes.ts";
import { governance } from "./governance.ts";
import { commandHelp, programHelp } from "./help.ts";
import { send } from "./send.ts";
import { serve } from "./serve.ts";
import { nearest } from "../suggest.ts";
import { top } from "./top.ts";
import { version } from "./version.ts";

const COMMANDS: readonly Command[] = Object.freeze([
  demo,
  serve,
  send,
  top,
  config,
  governance,
  doctor,
  version,
]);

/**
 * Runs the command that the arguments name.
 *
 * @param args Arguments after the program's name.
 * @param terminal Where data and messages go.
 * @returns The exit code. Every failure is one line on standard error.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  const command = COMMANDS.find(({ spec }) => spec.name === name);
  try {
    if (command !== undefined) return await runCommand(command, rest, terminal);
    if (name === "--help" || name === "-h" || name === "help") {
      await terminal.out.write(programHelp(COMMANDS.map(({ spec }) => spec)));
      return EXIT.ok;
    }
    if (name === "--version") return await runCommand(version, rest, terminal);
    throw unknownCommand(name);
  } catch (error) {
    const { line, code } = failureOf(error);
    const who = command === undefined ? PROGRAM : `${PROGRAM} ${command.spec.name}`;
    await terminal.err.write(`${who}: ${line}\n`);
    return code;
  }
}

async function runCommand(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const parsed = parseFor(command.spec, args);
  if (!parsed.has("help")) return await command.run(parsed, terminal);
  await terminal.out.write(commandHelp(command.spec));
  return EXIT.ok;
}

function unknownCommand(name: string | undefined): Error {
  const names = COMMANDS.map(({ spec }) => spec.name);
  if (name === undefined) return usageError(`name a command: ${names.join(", ")}`);
  const meant = nearest(name, names);
  const hint = meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean ${meant}?`;
  return usageError(`unknown ${name.startsWith("-") ? "flag" : "command"} ${name}${hint}`);
}
