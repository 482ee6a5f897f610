/**
 * Environment variables and flags as documents.
 *
 * @module
 */

import { nearest } from "../suggest.ts";
import type { ConfigIssue } from "./config.ts";
import { shown, shownName } from "./issues.ts";
import { type AnyKey, ENV_PREFIX, FLAG_PREFIX } from "./key.ts";
import { KEY_LIST } from "./keys.ts";

/** What one source gives. */
export interface SourceDocument {
  /** A document with the names of the configuration file. */
  readonly document: unknown;
  /** Faults of the source itself. */
  readonly issues: readonly ConfigIssue[];
  /** Where a key was given. */
  readonly where: (path: string) => string;
}

/** A source that gives nothing. */
export const NO_SOURCE: SourceDocument = Object.freeze({
  document: Object.freeze({}),
  issues: Object.freeze([]),
  where: () => "",
});

const BY_ENV: ReadonlyMap<string, AnyKey> = new Map(
  KEY_LIST.map((key) => [ENV_PREFIX + key.env, key]),
);
const BY_FLAG: ReadonlyMap<string, AnyKey> = new Map(
  KEY_LIST.flatMap((key) => key.flag === undefined ? [] : [[FLAG_PREFIX + key.flag, key]]),
);
/** Names the file to load. */
export const FILE_FLAG: string = `${FLAG_PREFIX}config`;

/**
 * The document of environment variables. Those without the prefix are others' business; one with it
 * that no key has is a fault.
 *
 * @param env Variables by name.
 */
export function envDocument(env: Readonly<Record<string, string | undefined>>): SourceDocument {
  const document: Document = {};
  const issues: ConfigIssue[] = [];
  for (const name of Object.keys(env)) {
    const text = name.startsWith(ENV_PREFIX) ? env[name] : undefined;
    if (text === undefined) continue;
    const key = BY_ENV.get(name);
    if (key !== undefined) put(document, key.path, key.type.fromText(text));
    else issues.push(unknownName(name, BY_ENV, name, "unset it"));
  }
  return { document, issues, where: (path) => ENV_PREFIX + keyAt(path)?.env };
}

/**
 * The document of flags.
 *
 * @param flags Texts by name without dashes, such as `transport.max-conns`; `true` for a flag without
 * a value.
 */
export function flagDocument(
  flags: Readonly<Record<string, string | true | undefined>>,
): SourceDocument {
  const document: Document = {};
  const issues: ConfigIssue[] = [];
  for (const name of Object.keys(flags)) {
    const given = flags[name];
    if (given === undefined || name === FILE_FLAG) continue;
    const key = BY_FLAG.get(name);
    const source = `--${shownName(name)}`;
    if (key === undefined) issues.push(unknownName(name, BY_FLAG, source, "leave it out"));
    else if (key.type.placeholder !== "") put(document, key.path, key.type.fromText(text(given)));
    else if (given === true || given === "true") put(document, key.path, true);
    else {
      const rule = "takes no value as a flag: being there is true";
      const instead = `write --${name} alone, or leave it out`;
      issues.push({ path: key.path, rule, got: shown(given), instead, source });
    }
  }
  return { document, issues, where: (path) => `--${FLAG_PREFIX}${keyAt(path)?.flag}` };
}

type Document = Record<string, unknown>;

/** A flag that is there without its value has an empty one, which its check then names. */
function text(given: string | true): string {
  return given === true ? "" : given;
}

function keyAt(path: string): AnyKey | undefined {
  return KEY_LIST.find((key) => path === key.path || path.startsWith(`${key.path}.`));
}

function unknownName(
  name: string,
  known: ReadonlyMap<string, AnyKey>,
  source: string,
  otherwise: string,
): ConfigIssue {
  const meant = name.length > 80 ? undefined : nearest(name, [...known.keys()]);
  return {
    path: shownName(name),
    rule: "is not the name of a key",
    got: "a value",
    instead: meant === undefined ? otherwise : `did you mean ${meant}?`,
    source: shownName(source),
  };
}

/** Puts a value at a dotted path of the table of keys, which has at most one dot. */
function put(document: Document, path: string, value: unknown): void {
  const [head = "", name] = path.split(".");
  if (name === undefined) document[head] = value;
  else document[head] = { ...document[head] as Document | undefined, [name]: value };
}
