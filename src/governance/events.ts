/**
 * Audit events of what the log decided, for the tool that carries a release out.
 *
 * @module
 */

import type { TransportPolicyChanged } from "../audit/events.ts";
import { policyChanged } from "../audit/policy.ts";
import type { Json, LogEntry } from "./log.ts";

/**
 * One event for each identifier that an entry changed.
 *
 * @param entries Entries; those that are not approved and merged tell nothing.
 * @param commit The commit that carries them out, where an entry names none.
 */
export function policyEvents(
  entries: readonly LogEntry[],
  commit: string,
): TransportPolicyChanged[] {
  return entries.flatMap((entry) => {
    const { merged, decision } = entry;
    if (decision !== "approved" || merged === null) return [];
    return entry.touched.map(({ identifier, old, new: now }) =>
      policyChanged({
        class: entry.class,
        old: told(identifier, old),
        new: told(identifier, now),
        actor: entry.author,
        pr: entry.links[0] ?? entry.id,
        commit: entry.commit ?? commit,
        ts: merged,
      })
    );
  });
}

/** A value as events tell it: `cap:frameBytes = 1048576`, in at most 1024 characters. */
export function told(identifier: string, value: Json): string {
  const text = `${identifier} = ${value === null ? "none" : JSON.stringify(value)}`;
  return text.length <= 1_024 ? text : `${text.slice(0, 1_021)}...`;
}
