/**
 * The child's end of the control channel: one JSON command a line on stdin, one JSON answer a line on
 * stdout. It is apart from the attacked port, so that it works however the attack goes.
 *
 * @module
 */

import { createInterface } from "node:readline";
import process from "node:process";

/** What a program can be told to do. Commands run one after the other. */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>;

/** Answer to a command. */
export type Answer = { readonly ok: unknown } | { readonly error: string };

/** Errors that nothing in this process caught, as text. Each one fails the row. */
export const uncaught: string[] = [];

/**
 * Serves commands until stdin ends; then the process exits.
 *
 * @param commands By name.
 */
export async function serveCommands(commands: Commands): Promise<void> {
  const note = (what: string) => (error: unknown): void => {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    uncaught.push(`${what}: ${text}`);
    console.error(`${what}: ${text}`);
  };
  process.on("unhandledRejection", note("unhandled rejection"));
  process.on("uncaughtException", note("uncaught exception"));
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(commands, line)));
  }
  process.exit(0);
}

async function answer(commands: Commands, line: string): Promise<Answer> {
  try {
    const { command, argument } = JSON.parse(line) as { command: string; argument: unknown };
    const run = commands[command];
    if (run === undefined) throw new Error(`no command ${command}`);
    return { ok: await (run as (argument: unknown) => unknown)(argument) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
}
