/**
 * Old names of keys, which still work and are warned of.
 *
 * @module
 */

import type { ConfigIssue } from "./config.ts";
import { KEY_LIST } from "./keys.ts";
import { ownValue, valueAt } from "./own.ts";

/** A document with the present names of keys. */
export interface Renamed {
  readonly document: unknown;
  readonly issues: ConfigIssue[];
  readonly warnings: string[];
}

/**
 * Gives keys their present names. An old name beside the present one is a fault: one of the two would
 * have to be ignored.
 *
 * @param document A copy of our own; it is left as it is.
 */
export function renamed(document: unknown): Renamed {
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  let result = document;
  for (const { path, aliases = [] } of KEY_LIST) {
    for (const old of aliases) {
      const value = valueAt(document, old);
      if (value === undefined) continue;
      const both = valueAt(document, path) !== undefined;
      if (both) issues.push(twice(old, path));
      else warnings.push(`${old} is the old name of ${path}: write ${path}`);
      result = moved(result, old, both ? undefined : path, value);
    }
  }
  return { document: result, issues, warnings };
}

function twice(old: string, path: string): ConfigIssue {
  return {
    path: old,
    rule: `is the old name of ${path}, which is given too`,
    got: "both",
    instead: `remove ${old}`,
  };
}

/** Without the old name; with the new one, in the same table, unless it is there. */
function moved(document: unknown, old: string, path: string | undefined, value: unknown): unknown {
  const [table = "", name = ""] = old.split(".");
  const inner = ownValue(document, table) as Record<string, unknown>;
  const { [name]: _old, ...rest } = inner;
  const target = path?.split(".")[1];
  const next = target === undefined ? rest : { ...rest, [target]: value };
  return { ...document as Record<string, unknown>, [table]: next };
}
