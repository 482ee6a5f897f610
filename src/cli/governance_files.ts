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
  if (family === "path") return identifier.slice("path:".length);
  const own = exported[identifier];
  if (own !== undefined && own !== "") return own;
  const homes = policy.families[family]?.files ?? [];
  const edited = changed.filter((path) => homes.some((home) => within(path, home)));
  return edited.length > 0 ? edited.join(", ") : homes[0] ?? identifier;
}

function within(path: string, home: string): boolean {
  return home.endsWith("/") ? path.startsWith(home) : path === home;
}
