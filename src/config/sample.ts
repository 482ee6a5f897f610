/**
 * A configuration file with every key at its default, commented.
 *
 * @module
 */

import type { AnyKey } from "./key.ts";
import { KEY_LIST } from "./keys.ts";

/** The sample, as TOML. Every key is commented out: what is not set has its default. */
export function sampleToml(): string {
  const top = KEY_LIST.filter(({ path }) => !path.includes("."));
  const names = KEY_LIST.flatMap(({ path }) => path.split(".").slice(0, -1));
  const tables = [...new Set(names)].map((table) => {
    return ["", `[${table}]`, ...keysIn(table).flatMap(entry)];
  });
  return [
    "# Configuration of ron-transport. Every key is here with its default; take the # away to set it.",
    "# Durations have a unit (ms, s, m, h); sizes are bytes or have one (B, KiB, MiB).",
    "# Check a change with: ron-transport config check FILE",
    ...top.flatMap(entry),
    ...tables.flat(),
    "",
  ].join("\n");
}

function keysIn(table: string): AnyKey[] {
  return KEY_LIST.filter(({ path }) => path.startsWith(`${table}.`));
}

function entry({ path, type, default: otherwise, doc, reload }: AnyKey): string[] {
  const name = path.split(".").at(-1) ?? path;
  return ["", `# ${doc} (${type.legal}; ${reload})`, `# ${name} = ${toml(otherwise)}`];
}

/** A value as TOML writes it; for texts, numbers, booleans and lists of them JSON is TOML. */
export function toml(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(toml).join(", ")}]` : JSON.stringify(value);
}
