/**
 * Which file a change was made in.
 *
 * @module
 */

import { familyOf } from "../governance/identifiers.ts";
import type { Policy } from "../governance/policy.ts";

/**
 * The file of an identifier.
 *
 * @param policy The policy, which says where families live.
 * @param identifier The identifier.
 * @param changed Files that changed; none when that is not known.
 * @param exported Files of exports, by identifier.
 */
export function homeOf(
  policy: Policy,
  identifier: string,
  changed: readonly string[],
  exported: Readonly<Record<string, string>>,
): string {
  const family = familyOf(identifier);
  if (family === "path") {
    const start = identifier.slice("path:".length);
    return told(changed.filter((path) => path.startsWith(start))) ?? start;
  }
  const own = exported[identifier];
  if (own !== undefined && own !== "") return own;
  const homes = policy.families[family]?.files ?? [];
  const edited = changed.filter((path) => homes.some((home) => within(path, home)));
  return told(edited) ?? homes[0] ?? identifier;
}

function told(files: readonly string[]): string | undefined {
  if (files.length <= 3) return files.length === 0 ? undefined : files.join(", ");
  return `${files.slice(0, 2).join(", ")} and ${files.length - 2} more`;
}

function within(path: string, home: string): boolean {
  return home.endsWith("/") ? path.startsWith(home) : path === home;
}
