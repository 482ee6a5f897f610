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
import { deepFreeze, ownCopy, put, valueAt } from "./own.ts";
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
  if (isEmptyTable(document)) return { document, issues, warnings };
  const result = documentSchema(givenKeys(document)).safeParse(document, {
    reportInput: true,
    ...ONCE,
  });
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
  const values = legalValues(document);
  const all = [...issues, ...brokenRules(values, document, where)];
  if (all.length > 0) return { snapshot: undefined, issues: all, warnings };
  const snapshot = snapshotOf(values);
  return { snapshot, issues: all, warnings: [...warnings, ...warningsOf(snapshot)] };
}

/** Tables within tables: the document and the tables in it. */
const TABLE_DEPTH = 3;
const NO_TABLE = "must be a table of keys";
/** A document is read once in a process: compiling a function for it takes longer than it saves. */
const ONCE = { jitless: true };

/**
 * The schema of a document that holds no keys but these: of all keys it is that of any document. A check
 * takes those that are given, as a process would wait for zod to make all.
 */
export function documentSchema(
  keys: readonly AnyKey[] = KEY_LIST,
): z.ZodType<ConfigSnapshot, TransportConfig> {
  const shape: Record<string, z.ZodType> = {};
  const tables = new Map<string, Record<string, z.ZodType>>();
  for (const key of keys) {
    const [head = "", name] = key.path.split(".");
    const schema = key.type.schema().prefault(key.default).meta({ description: key.doc });
    if (name === undefined) shape[head] = schema;
    else tables.set(head, { ...tables.get(head), [name]: schema });
  }
  for (const [head, inner] of tables) {
    shape[head] = z.strictObject(inner, "must be a table").prefault({});
  }
  // The table's own type has held its rows equal to both types.
  return z.strictObject(shape, NO_TABLE) as unknown as z.ZodType<ConfigSnapshot, TransportConfig>;
}

/** Nothing is given, so nothing can be wrong; a start need not wait for zod's first use. */
function isEmptyTable(document: unknown): boolean {
  return typeof document === "object" && document !== null && !Array.isArray(document) &&
    Object.keys(document).length === 0;
}

/** The keys of a document, and those in the same tables. */
function givenKeys(document: unknown): readonly AnyKey[] {
  const names = new Set(Object.keys(Object(document)));
  return KEY_LIST.filter(({ path }) => names.has(path.split(".")[0] ?? ""));
}

/** The values in force, by key: what is given, where that is legal, and the defaults. */
type Values = ReadonlyMap<ConfigPath, unknown>;

function legalValues(document: unknown): Values {
  const values = new Map<ConfigPath, unknown>();
  for (const { path, type, default: otherwise } of KEY_LIST) {
    const given = valueAt(document, path);
    if (given === undefined) values.set(path, type.fromDocument(otherwise));
    else {
      const result = type.schema().safeParse(given, ONCE);
      if (result.success) values.set(path, result.data);
    }
  }
  return values;
}

function snapshotOf(values: Values): ConfigSnapshot {
  const snapshot: Record<string, unknown> = {};
  for (const [path, value] of values) put(snapshot, path, value);
  // The table's own type has held its rows equal to it.
  return deepFreeze(snapshot) as unknown as ConfigSnapshot;
}

function brokenRules(values: Values, document: unknown, where: Where): ConfigIssue[] {
  const value: ValueOf = <P extends ConfigPath>(path: P) => values.get(path) as ValueAt<P>;
  const given = (path: ConfigPath): boolean => valueAt(document, path) !== undefined;
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
