/**
 * The schema, made of the table of keys, and the check of a document against it.
 *
 * @module
 */

import { z } from "zod";
import { nearest } from "../suggest.ts";
import type { ConfigIssue, ConfigSnapshot, TransportConfig } from "./config.ts";
import { ConfigError, MOST_ISSUES, shown, shownName } from "./issues.ts";
import type { AnyKey, ConfigPath, ValueAt } from "./key.ts";
import { KEY_LIST } from "./keys.ts";
import { renamed } from "./aliases.ts";
import { deepFreeze, ownCopy, valueAt } from "./own.ts";
import { RULES, type ValueOf, warningsOf } from "./rules.ts";

export { ConfigError } from "./issues.ts";

/**
 * Validates a configuration and fills in the defaults. Nothing is clamped: a value above a ceiling
 * is an error.
 *
 * @param input What a caller passed; only own properties count.
 * @returns A deep-frozen snapshot that shares nothing with the input.
 * @throws {ConfigError} `config_invalid` with all faults at once.
 */
export function parseConfig(input: TransportConfig = {}): ConfigSnapshot {
  const { snapshot, issues } = checkConfig(input);
  if (snapshot === undefined) throw new ConfigError(issues);
  return snapshot;
}

/** What a check found: a snapshot, or at least one fault. */
export interface Checked {
  readonly snapshot: ConfigSnapshot | undefined;
  readonly issues: readonly ConfigIssue[];
  /** What is legal and yet worth telling. */
  readonly warnings: readonly string[];
}

/**
 * Checks a document. Nothing is thrown, whatever the document is.
 *
 * @param input A document with the names of the configuration file.
 */
export function checkConfig(input: unknown): Checked {
  const { document, issues, warnings } = checkValues(input);
  return settled(document, issues, warnings);
}

/** Where a key was given, if it was. */
export type Where = (path: string) => string | undefined;

/** A document whose values were checked one by one. */
export interface CheckedValues {
  /** A copy, with the present names of keys. */
  readonly document: unknown;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
}

/**
 * Checks the values of a document, and not the rules between them. Nothing is thrown.
 *
 * @param input A document, whole or not.
 */
export function checkValues(input: unknown): CheckedValues {
  let own: unknown;
  try {
    own = ownCopy(input, TABLE_DEPTH);
  } catch {
    // A getter or a proxy of the caller's that throws: no plain object.
    const issues = [{ path: "", rule: NO_TABLE, got: "another object" }];
    return { document: {}, issues, warnings: [] };
  }
  const { document, issues, warnings } = renamed(own);
  const result = SCHEMA.safeParse(document, { reportInput: true, ...ONCE });
  if (!result.success) issues.push(...result.error.issues.flatMap(toIssues));
  return { document, issues, warnings };
}

/**
 * The outcome for a whole document.
 *
 * @param document With the present names of keys.
 * @param issues Faults of its values.
 * @param warnings Told with the snapshot.
 * @param where Where a key was given, if it was.
 */
export function settled(
  document: unknown,
  issues: readonly ConfigIssue[],
  warnings: readonly string[],
  where: Where = () => undefined,
): Checked {
  const all = [...issues, ...brokenRules(document, where)];
  if (all.length > 0) return { snapshot: undefined, issues: all, warnings };
  const snapshot = deepFreeze(SCHEMA.parse(document, ONCE));
  return { snapshot, issues: all, warnings: [...warnings, ...warningsOf(snapshot)] };
}

/** Tables within tables: the document and the tables in it. */
const TABLE_DEPTH = 3;
const NO_TABLE = "must be a table of keys";
/** A document is read once in a process: compiling a function for it takes longer than it saves. */
const ONCE = { jitless: true };

/** The schema of a document; also the source of the JSON Schema. */
export const SCHEMA: z.ZodType<ConfigSnapshot, TransportConfig> = schemaOf(KEY_LIST);

function schemaOf(keys: readonly AnyKey[]): z.ZodType<ConfigSnapshot, TransportConfig> {
  const shape: Record<string, z.ZodType> = {};
  const tables = new Map<string, Record<string, z.ZodType>>();
  for (const key of keys) {
    const [head = "", name] = key.path.split(".");
    const schema = key.type.schema.prefault(key.default).meta({ description: key.doc });
    if (name === undefined) shape[head] = schema;
    else tables.set(head, { ...tables.get(head), [name]: schema });
  }
  for (const [head, inner] of tables) {
    shape[head] = z.strictObject(inner, "must be a table").prefault({});
  }
  // The table's own type has held its rows equal to both types.
  return z.strictObject(shape, NO_TABLE) as unknown as z.ZodType<ConfigSnapshot, TransportConfig>;
}

/** The keys that rules look at. */
const RULED: readonly AnyKey[] = KEY_LIST.filter(({ path }) => {
  return RULES.some(({ needs }) => needs.includes(path));
});

function brokenRules(input: unknown, where: Where): ConfigIssue[] {
  const values = new Map<string, unknown>();
  for (const { path, type, default: otherwise } of RULED) {
    const result = type.schema.safeParse(valueAt(input, path) ?? otherwise);
    if (result.success) values.set(path, result.data);
  }
  const value: ValueOf = <P extends ConfigPath>(path: P) => values.get(path) as ValueAt<P>;
  const given = (path: ConfigPath): boolean => valueAt(input, path) !== undefined;
  return RULES.flatMap(({ needs, broken }) => {
    const issue = needs.every((path) => values.has(path)) ? broken(value, given) : undefined;
    if (issue === undefined) return [];
    // The fault can be that a key is missing; then it is where the key is that asks for it.
    const source = [issue.path, ...needs].map(where).find((place) => place !== undefined);
    return [source === undefined ? issue : { ...issue, source }];
  });
}

function toIssues(issue: z.core.$ZodIssue): ConfigIssue[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    // Beyond what is listed, only how many they are counts.
    return issue.keys.map((key, i) => {
      return i < MOST_ISSUES ? unknownKey(path, key, issue.input) : { path, rule: "", got: "" };
    });
  }
  const key = KEY_LIST.find((one) => path === one.path || path.startsWith(`${one.path}.`));
  const got = key?.hidden === true ? "a hidden value" : shown(issue.input);
  if (key === undefined) return [{ path, rule: issue.message, got }];
  const { legal, example } = key.type;
  const instead = `write for example ${JSON.stringify(example)}`;
  return [{ path, rule: issue.message, got, limit: legal, instead }];
}

function unknownKey(table: string, name: string, input: unknown): ConfigIssue {
  const path = table === "" ? name : `${table}.${name}`;
  const meant = nearestKey(path, name);
  return {
    path: shownName(path),
    rule: "is not a key of this version",
    // The value stays out: under a wrong name nobody knows whether it is a secret.
    got: kindOf(valueAt(input, name)),
    instead: meant === undefined ? "remove it, or correct its name" : `did you mean ${meant}?`,
  };
}

function nearestKey(path: string, name: string): string | undefined {
  if (path.length > 64) return undefined;
  const names = KEY_LIST.map((key) => key.path as string);
  return nearest(path, names) ?? names.find((known) => known.split(".")[1] === name);
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === "object") return value === null ? "null" : shown(value);
  return `a ${typeof value}`;
}
