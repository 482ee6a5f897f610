/**
 * Audit events of what the log decided, for the tool that carries a release out.
 *
 * @module
 */

import type { TransportPolicyChanged } from "../audit/events.ts";
import { figureText } from "../audit/figures.ts";
import { policyChanged } from "../audit/policy.ts";
import type { LogEntry } from "./log.ts";

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
        old: figureText(identifier, old),
        new: figureText(identifier, now),
        actor: entry.author,
        pr: entry.links[0] ?? entry.id,
        commit: entry.commit ?? commit,
        ts: merged,
      })
    );
  });
}
