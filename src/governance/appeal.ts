/**
 * An appeal against a decision: who must have done what, and when.
 *
 * @module
 */

import type { Holders } from "./maintainers.ts";
import type { Policy, Role } from "./policy.ts";
import { reviewHours } from "./review_clock.ts";

/** What happened in an appeal, in order. Times are milliseconds since 1970. */
export interface Appeal {
  /** The decision that is disputed. */
  readonly against: string;
  readonly trigger: string;
  readonly openedBy: string;
  readonly openedAt: number;
  /** Metrics and logs of the harm. */
  readonly evidence: readonly string[];
  /** Whom the review was asked of, and when; empty when nobody was. */
  readonly asked: readonly { readonly role: Role; readonly at: number }[];
  /** Set when stakeholders agreed on something themselves. */
  readonly agreedAt?: number;
  /** Votes that broke the tie. */
  readonly tieBreak: readonly {
    readonly role: Role;
    readonly by: string;
    readonly upholds: boolean;
    readonly at: number;
  }[];
  readonly decision: {
    readonly upholds: boolean;
    readonly rationale: string;
    readonly links: readonly string[];
  } | undefined;
}

/** Whom a review is asked of. */
const STAKEHOLDERS: readonly Role[] = ["maintainers", "security", "service_owners"];

/**
 * What is wrong with an appeal.
 *
 * @param appeal What happened.
 * @param policy The policy.
 * @param holders Who holds which role.
 * @returns One line for each fault; none when it went as it must.
 */
export function appealFaults(appeal: Appeal, policy: Policy, holders: Holders): string[] {
  return [
    ...openingFaults(appeal, policy),
    ...tieFaults(appeal, policy, holders),
    ...endFaults(appeal),
  ];
}

function* openingFaults(appeal: Appeal, policy: Policy): Iterable<string> {
  const { trigger, evidence, asked, openedAt } = appeal;
  const { triggers } = policy.appeal;
  if (!triggers.includes(trigger)) {
    yield `"${trigger}" is no ground for an appeal: there are ${triggers.join("; ")}`;
  }
  if (evidence.length === 0) yield "no evidence of the harm: add metrics or logs";
  for (const role of STAKEHOLDERS) {
    if (!asked.some((one) => one.role === role && one.at >= openedAt)) {
      yield `the review was not asked of ${role}`;
    }
  }
}

function* tieFaults(appeal: Appeal, policy: Policy, holders: Holders): Iterable<string> {
  const { tieBreak, openedAt, agreedAt, openedBy } = appeal;
  const { tie_break, tie_break_hours } = policy.appeal;
  if (agreedAt !== undefined) {
    if (tieBreak.length > 0) yield "there was no tie to break: the stakeholders had agreed";
    return;
  }
  const alone = tie_break.every((role) => holders[role].every((name) => name === openedBy));
  for (const role of tie_break) {
    const vote = tieBreak.find((one) => one.role === role);
    if (vote === undefined) {
      yield `the tie is broken by ${tie_break.join(" and ")} together: ${role} has not voted`;
      continue;
    }
    if (!holders[role].includes(vote.by)) yield `${vote.by} does not hold ${role}`;
    if (vote.by === openedBy && !alone) yield `${vote.by} made the appeal and cannot break its tie`;
    const hours = reviewHours(openedAt, vote.at);
    if (hours < tie_break_hours) {
      yield `${role} broke the tie after ${
        Math.floor(hours)
      } of ${tie_break_hours} hours of review`;
    }
  }
  for (const { role } of tieBreak) {
    if (!tie_break.includes(role)) yield `${role} has no vote in breaking a tie`;
  }
}

function* endFaults({ decision, tieBreak, agreedAt }: Appeal): Iterable<string> {
  if (decision === undefined) {
    yield "no decision is on record";
    return;
  }
  if (decision.rationale === "") yield "the decision has no rationale";
  if (decision.links.length === 0) yield "the decision links to nothing";
  const upheld = tieBreak.every(({ upholds }) => upholds);
  // who break a tie must agree; where they do not, what was decided stands
  if (agreedAt === undefined && decision.upholds !== upheld) {
    yield "the decision is not what those who broke the tie said";
  }
}
