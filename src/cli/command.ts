/**
 * What a command is: the description that parsing, help and suggestions share, and its body.
 *
 * @module
 */

import type { Output } from "../runtime/host.ts";

/** One flag of a command. */
export interface FlagSpec {
  /** Name without dashes. */
  readonly name: string;
  /** Placeholder of its value; absent for a flag that is just there or not. */
  readonly value?: string;
  /** One line of help. */
  readonly help: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
}

/** One argument that is not a flag. */
export interface ArgumentSpec {
  /** Placeholder, such as `FILE`. */
  readonly name: string;
  /** Whether it may be left out. */
  readonly optional?: boolean;
}

/** One line to copy, with what it does. */
export interface Example {
  /** Arguments after the program's name. */
  readonly line: string;
  /** What it does. */
  readonly says: string;
}

/** The description of a command. */
export interface CommandSpec {
  readonly name: string;
  /** One line: what it is for. */
  readonly summary: string;
  readonly examples: readonly Example[];
  readonly arguments: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
}

/** What a command line said. */
export interface Parsed {
  /** The arguments that are not flags, in order. */
  readonly positionals: readonly string[];
  /** Whether a flag without a value is there. */
  has(flag: string): boolean;
  /** The value of a flag, if it is there. */
  value(flag: string): string | undefined;
}

/** What a command may use of the world. */
export interface Terminal {
  /** Data goes here. */
  readonly out: Output;
  /** Messages for people go here. */
  readonly err: Output;
}

/** A command: description and body. The body's result is the exit code; errors are mapped to one. */
export interface Command {
  readonly spec: CommandSpec;
  run(parsed: Parsed, terminal: Terminal): Promise<number>;
}

/** Flags that every command takes. */
export const COMMON_FLAGS: readonly FlagSpec[] = Object.freeze([
  { name: "json", help: "print data as JSON" },
  { name: "quiet", help: "print no messages but errors" },
  { name: "help", help: "print this help" },
]);
