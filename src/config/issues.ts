/**
 * Faults of a configuration, and the error that tells them all.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { ConfigIssue } from "./config.ts";

/** Most faults that one error lists; a last one tells how many more there are. */
export const MOST_ISSUES = 200;
/** Most faults in the text of an error. */
const MOST_IN_MESSAGE = 20;

/** `config_invalid`, with every fault that was found. */
export class ConfigError extends TransportError {
  /** All faults, in the order of the document; from 200 on only how many. */
  readonly issues: readonly ConfigIssue[];

  /**
   * Makes one error of all faults.
   *
   * @param issues At least one fault.
   */
  constructor(issues: readonly ConfigIssue[]) {
    const all = bounded(issues, MOST_ISSUES);
    super("config_invalid", bounded(all, MOST_IN_MESSAGE).map(issueText).join("; "), {
      op: "config",
    });
    this.name = "ConfigError";
    this.issues = Object.freeze(all.map((issue) => Object.freeze({ ...issue })));
  }
}

/**
 * One fault in one line.
 *
 * @param issue The fault.
 */
export function issueText(issue: ConfigIssue): string {
  const { path, rule, got, instead, source } = issue;
  const where = source === undefined ? "" : `${source}: `;
  const remedy = instead === undefined ? "" : `; ${instead}`;
  return `${where}${path === "" ? "configuration" : path} ${rule}, got ${got}${remedy}`;
}

/** A given value in at most 64 printable characters. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "a table";
  }
  // A part is enough: the whole can be megabytes.
  const text = typeof value === "string" ? quoted(value.slice(0, 64)) : String(value);
  return text.length > 64 || (typeof value === "string" && value.length > 64)
    ? `${text.slice(0, 60)}...`
    : text;
}

/** Name of a key as messages show it: bounded, on one line. */
export function shownName(name: string): string {
  const plain = /^[\w.-]{1,64}$/.test(name);
  return plain ? name : quoted(name.length > 64 ? `${name.slice(0, 60)}...` : name);
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, "?");
}

function bounded(issues: readonly ConfigIssue[], most: number): readonly ConfigIssue[] {
  if (issues.length <= most) return issues;
  const rest = issues.length - most + 1;
  const { source } = issues[most - 1]!;
  const more = { path: "", rule: "has more faults than are listed", got: `${rest} more` };
  const last = source === undefined ? more : { ...more, source };
  return [...issues.slice(0, most - 1), last];
}
