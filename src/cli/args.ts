/**
 * Command-line arguments, checked against a command's description.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { parseArgs } from "../runtime/host.ts";
import { type CommandSpec, COMMON_FLAGS, type FlagSpec, type Parsed } from "./command.ts";
import { nearest } from "../suggest.ts";

/** The name this program goes by in messages. */
export const PROGRAM = "ron-transport";

/**
 * A fault of the command line itself: exit code 2.
 *
 * @param message What was wanted and what was given.
 * @param command The command whose help tells more.
 */
export function usageError(message: string, command?: string): TransportError {
  const help = command === undefined ? `${PROGRAM} --help` : `${PROGRAM} ${command} --help`;
  return new TransportError("misuse", `${message} (see: ${help})`, { op: "arguments" });
}

/**
 * Parses arguments by a command's description.
 *
 * @param spec The description.
 * @param args The arguments after the command's name.
 * @throws {TransportError} `misuse` naming the argument that is unknown, missing or wrong.
 */
export function parseFor(spec: CommandSpec, args: readonly string[]): Parsed {
  const flags = [...spec.flags, ...COMMON_FLAGS];
  const values = new Map<string, string>();
  const positionals: string[] = [];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(flags.map((flag) => [flag.name, { type: flagType(flag) }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const name = token.rawName === "-h" ? "help" : token.name;
    const flag = flags.find((one) => one.name === name);
    if (flag === undefined || (token.rawName !== "-h" && !token.rawName.startsWith("--"))) {
      throw unknownFlag(spec, flags, token.rawName);
    }
    // In `--dir --json` the directory was forgotten; in `--dir=--json` it has an odd name.
    const forgotten = token.inlineValue === false && token.value.startsWith("--");
    values.set(flag.name, checkedValue(spec, flag, forgotten ? undefined : token.value));
  }
  if (!values.has("help")) checkPositionals(spec, positionals);
  return { positionals, has: (flag) => values.has(flag), value: (flag) => values.get(flag) };
}

function flagType(flag: FlagSpec): "string" | "boolean" {
  return flag.value === undefined ? "boolean" : "string";
}

function checkedValue(spec: CommandSpec, flag: FlagSpec, value: string | undefined): string {
  if (flag.value === undefined) {
    if (value === undefined) return "true";
    throw usageError(`--${flag.name} takes no value, got "${value}"`, spec.name);
  }
  if (value === undefined || value === "") {
    throw usageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`, spec.name);
  }
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    const wanted = flag.choices.join(", ");
    throw usageError(`--${flag.name} must be one of ${wanted}, got "${value}"`, spec.name);
  }
  return value;
}

function unknownFlag(
  spec: CommandSpec,
  flags: readonly FlagSpec[],
  rawName: string,
): TransportError {
  const meant = nearest(rawName.replace(/^-+/, ""), flags.map((flag) => flag.name));
  const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
  return usageError(`unknown flag ${rawName} for ${spec.name}${hint}`, spec.name);
}

function checkPositionals(spec: CommandSpec, given: readonly string[]): void {
  const missing = spec.arguments.find((arg, i) => arg.optional !== true && given[i] === undefined);
  if (missing !== undefined) throw usageError(`${spec.name} needs ${missing.name}`, spec.name);
  const extra = given[spec.arguments.length];
  if (extra !== undefined) throw usageError(`unexpected argument "${extra}"`, spec.name);
}
