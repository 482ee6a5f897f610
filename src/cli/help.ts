/**
 * Help texts: examples first, made from the descriptions that parsing uses.
 *
 * @module
 */

import { PROGRAM } from "./args.ts";
import { type CommandSpec, COMMON_FLAGS, type FlagSpec } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";

/**
 * The help of the program.
 *
 * @param commands The commands there are.
 */
export function programHelp(commands: readonly CommandSpec[]): string {
  const first = commands.flatMap((command) => command.examples.slice(0, 1));
  return [
    "Examples:",
    ...first.map(({ line, says }) => `  ${PROGRAM} ${line}\n      ${says}`),
    "",
    "Commands:",
    ...columns(commands.map((command) => [command.name, command.summary])),
    "",
    "Exit codes:",
    ...columns(EXIT_CODES.map(({ code, means }) => [String(code), means])),
    "",
    `${PROGRAM} COMMAND --help tells more. Data goes to standard output, messages to standard error.`,
    "",
  ].join("\n");
}

/**
 * The help of one command.
 *
 * @param spec Its description.
 */
export function commandHelp(spec: CommandSpec): string {
  const args = spec.arguments.map(({ name, optional }) => optional === true ? `[${name}]` : name);
  return [
    "Examples:",
    ...spec.examples.map(({ line, says }) => `  ${PROGRAM} ${line}\n      ${says}`),
    "",
    `Usage: ${[PROGRAM, spec.name, ...args, "[FLAGS]"].join(" ")}`,
    `  ${spec.summary}`,
    "",
    "Flags:",
    ...columns([...spec.flags, ...COMMON_FLAGS].map((flag) => [flagForm(flag), flag.help])),
    "",
  ].join("\n");
}

function flagForm(flag: FlagSpec): string {
  if (flag.value === undefined) return `--${flag.name}`;
  return `--${flag.name} ${flag.choices?.join("|") ?? flag.value}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
