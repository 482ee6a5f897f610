/**
 * Whether an entry of the log has the votes and the review that a class asks for.
 *
 * @module
 */

import type { LogEntry } from "./log.ts";
import type { Holders } from "./maintainers.ts";
import type { Policy, Quorum, Role } from "./policy.ts";
import { reviewEnd, reviewHours } from "./review_clock.ts";

const DAY = 86_400_000;

/** What an entry is held to. */
export interface Demands {
  readonly maintainers: Quorum;
  /** Why security has to approve; `undefined` where it has not. */
  readonly security: string | undefined;
  readonly reviewHours: number;
  /** Days of the calendar, beside the hours. */
  readonly reviewDays: number;
}

/** What is missing, each in words that follow "missing:"; none when all is there. */
export function missingApproval(
  entry: LogEntry,
  demands: Demands,
  holders: Holders,
  now: number,
): string[] {
  const missing = [votesOf(entry, "maintainers", demands.maintainers, holders)];
  if (demands.security !== undefined) {
    const lack = votesOf(entry, "security", { votes: 1 }, holders);
    if (lack !== undefined) missing.push(`${lack} (${demands.security})`);
  }
  missing.push(review(entry, demands, now));
  return missing.filter((one) => one !== undefined);
}

/** How many votes a quorum is among so many who may vote. */
export function quorumOf(quorum: Quorum, holders: number, eligible: number): number {
  const wanted = "votes" in quorum
    ? quorum.votes
    : Math.ceil(holders * quorum.share[0] / quorum.share[1]);
  return Math.min(wanted, eligible);
}

/** What a class asks for in words, for people. */
export function quorumText(quorum: Quorum): string {
  if ("share" in quorum) return `${quorum.share[0]}/${quorum.share[1]} of the maintainers`;
  return quorum.votes === 1 ? "1 maintainer" : `${quorum.votes} maintainers`;
}

/** An author's own vote counts only where nobody else could vote. */
function votesOf(
  { author, votes }: LogEntry,
  role: Role,
  quorum: Quorum,
  holders: Holders,
): string | undefined {
  const held = holders[role];
  const eligible = held.length > 1 ? held.filter((name) => name !== author) : held;
  const cast = votes[role] ?? [];
  const approving = new Set(
    cast.filter(({ by, vote }) => vote === "approve" && eligible.includes(by)).map(({ by }) => by),
  );
  for (const { by, vote } of cast) if (vote === "reject") approving.delete(by);
  const wanted = quorumOf(quorum, held.length, eligible.length);
  if (approving.size >= wanted) return undefined;
  const others = [...new Set(cast.map(({ by }) => by))].filter((by) => !approving.has(by));
  const ignored = others.map((by) => {
    if (!held.includes(by)) return `${by} does not hold the role`;
    return eligible.includes(by) ? `${by} did not approve` : `${by} is the author`;
  });
  const why = ignored.length === 0 ? "" : `; ${ignored.join(", ")}`;
  return `approvals by ${role}: ${approving.size} of ${wanted}${why}`;
}

function review({ opened, merged }: LogEntry, demands: Demands, now: number): string | undefined {
  const from = Date.parse(opened);
  const until = merged === null ? now : Date.parse(merged);
  if (until > now) return `a merge that has happened: merged says ${merged}, which is to come`;
  if (from > until) return "a review: it was opened after it was merged";
  const hours = reviewHours(from, until);
  const days = (until - from) / DAY;
  if (hours >= demands.reviewHours && days >= demands.reviewDays) return undefined;
  const end = Math.max(reviewEnd(from, demands.reviewHours), from + demands.reviewDays * DAY);
  const wanted = days < demands.reviewDays
    ? `${demands.reviewDays} days, and it had ${days.toFixed(1)}`
    : `${demands.reviewHours} hours of weekdays, and it had ${hours.toFixed(1)}`;
  return `review of ${wanted}: not before ${new Date(end).toISOString()}`;
}

/** What the policy demands of a class. */
export function demandsOf(policy: Policy, level: 0 | 1 | 2 | 3): Demands {
  const { maintainers, security, review_hours } = policy.classes[level];
  return {
    maintainers,
    security: security === "always" ? `class ${level} asks for it` : undefined,
    reviewHours: review_hours,
    reviewDays: 0,
  };
}
