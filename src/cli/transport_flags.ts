/**
 * The `--transport.*` flags: one for each configuration key that has one.
 *
 * @module
 */

import type { TransportConfig } from "../config/config.ts";
import { type AnyKey, FLAG_PREFIX } from "../config/key.ts";
import { KEY_LIST } from "../config/keys.ts";
import { flagDocument } from "../config/sources.ts";
import type { FlagSpec, Parsed } from "./command.ts";

/** The flags, for descriptions of commands. */
export const TRANSPORT_FLAGS: readonly FlagSpec[] = Object.freeze(
  KEY_LIST.flatMap((key) => key.flag === undefined ? [] : [flagOf(key, FLAG_PREFIX + key.flag)]),
);

function flagOf({ type, doc }: AnyKey, name: string): FlagSpec {
  const { placeholder } = type;
  return placeholder === "" ? { name, help: doc } : { name, value: placeholder, help: doc };
}

/**
 * The `--transport.*` flags that are given, by name, for `loadConfig`.
 *
 * @param parsed The command line.
 */
export function flagsGiven(parsed: Parsed): Record<string, string> {
  const given: Record<string, string> = {};
  for (const { name } of TRANSPORT_FLAGS) {
    const text = parsed.value(name);
    if (text !== undefined) given[name] = text;
  }
  return given;
}

/**
 * The configuration that flags make.
 *
 * @param flags By name; see {@linkcode flagsGiven}.
 * @returns Only the keys that were given; nothing is checked here but the shape of numbers.
 */
export function configFromFlags(flags: Readonly<Record<string, string>>): TransportConfig {
  // What is wrong with a value is found by the check of the whole.
  return flagDocument(flags).document as TransportConfig;
}
