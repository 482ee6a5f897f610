/**
 * Emergencies: a hotfix that lowers a ceiling goes first, its paper follows.
 *
 * @module
 */

import type { Change } from "./classify.ts";
import type { Case } from "./judge.ts";
import { LOG_FILE, type LogEntry } from "./log.ts";
import type { Refusal } from "./refusal.ts";

const HOUR = 3_600_000;
const AUDIT = "have the auditors look at it, and record that as an audit that supersedes the entry";

/**
 * Judges one emergency entry. Its deadlines run on the clock of the wall, weekends included.
 *
 * @param matter The case.
 * @param entry The entry.
 * @param changes The changes between base and head that it covers; none of an earlier one.
 */
export function judgeEmergency(
  { policy, holders, log, now }: Case,
  entry: LogEntry,
  changes: readonly Change[],
): Refusal[] {
  const { entry_hours, proposal_hours } = policy.emergency;
  const refusals: Refusal[] = [];
  const refuse = (missing: string, remedy: string, change?: Change): void => {
    refusals.push({
      file: change?.file ?? LOG_FILE,
      identifier: change?.identifier ?? `log:${entry.id}`,
      old: change?.old,
      new: change?.new,
      class: change?.level ?? entry.class,
      missing: `${entry.id}: ${missing}`,
      remedy,
      immediate: change?.raises === true,
    });
  };
  for (const change of changes) {
    if (change.lowers) continue;
    refuse(
      "an emergency may lower ceilings and nothing else",
      "propose the rest as a change of its class",
      change,
    );
  }
  if (!holders.maintainers.includes(entry.author)) {
    refuse(`${entry.author} is no maintainer, and only they may make a hotfix`, "have one do it");
  }
  if (entry.merged === null) {
    refuse("missing: when it was merged", "say it: the deadlines run from there");
    return refusals;
  }
  const later = log.entries.filter(({ supersedes }) => supersedes === entry.id);
  if (later.some(({ kind, decision }) => kind === "audit" && decision === "passed")) {
    return refusals;
  }
  const proposal = entry.proposal ?? later.find(({ kind }) => kind === "change")?.opened ?? null;
  const merged = Date.parse(entry.merged);
  const late = (from: string): number => (Date.parse(from) - merged) / HOUR;
  if (late(entry.date) > entry_hours) {
    refuse(
      `the entry came ${
        late(entry.date).toFixed(1)
      } hours after the merge, later than ${entry_hours}`,
      AUDIT,
    );
  }
  if (proposal === null) {
    const due = merged + proposal_hours * HOUR;
    if (now > due) {
      refuse(
        `missing: the proposal, which was due ${proposal_hours} hours after the merge, at ${
          new Date(due).toISOString()
        }`,
        "propose it now, or take the change back",
      );
    }
  } else if (late(proposal) > proposal_hours) {
    refuse(
      `the proposal came ${
        late(proposal).toFixed(1)
      } hours after the merge, later than ${proposal_hours}`,
      AUDIT,
    );
  }
  return refusals;
}
