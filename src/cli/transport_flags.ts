/**
 * The `--transport.*` flags: one for each configuration key that has one.
 *
 * @module
 */

import type { TransportConfig } from "../config/config.ts";
import { type AnyKey, FLAG_PREFIX } from "../config/key.ts";
import { KEY_LIST } from "../config/keys.ts";
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
 * The configuration that the given flags make.
 *
 * @param parsed The command line.
 * @returns Only the keys that were given; nothing is checked here but the shape of numbers.
 */
export function configFromFlags(parsed: Parsed): TransportConfig {
  const config: Record<string, unknown> = {};
  for (const { path, type, flag } of KEY_LIST) {
    const text = flag === undefined ? undefined : parsed.value(FLAG_PREFIX + flag);
    if (text !== undefined) put(config, path.split("."), type.fromText(text));
  }
  return config;
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const inner = (into[first] ?? {}) as Record<string, unknown>;
  into[first] = inner;
  put(inner, rest, value);
}
