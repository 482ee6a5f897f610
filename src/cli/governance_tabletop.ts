/**
 * `governance tabletop`: the appeal rehearsed, with the clock moved by hand: once as it must go, and then with
 * each mistake, which must be seen.
 *
 * @module
 */

import { type Appeal, appealFaults } from "../governance/appeal.ts";
import { type Holders, MAINTAINERS_FILE, parseMaintainers } from "../governance/maintainers.ts";
import { parsePolicy, type Policy, POLICY_FILE } from "../governance/policy.ts";
import { reviewEnd } from "../governance/review_clock.ts";
import { join, readText } from "../runtime/host_files.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot } from "./governance_checkout.ts";
import { writeRecord } from "./governance_record.ts";

/** One way that an appeal may go. */
export interface Scene {
  readonly name: string;
  readonly appeal: Appeal;
  /** What must be said of it; nothing when it is in order. */
  readonly fault: RegExp | undefined;
}

const HOUR = 3_600_000;

/**
 * Runs it.
 *
 * @returns 0 when each scene was judged as it must be.
 */
export async function tabletop(parsed: Parsed, { out, err }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const policy = parsePolicy(await readText(join(root, POLICY_FILE)));
  const holders = parseMaintainers(await readText(join(root, MAINTAINERS_FILE)));
  const played = scenes(policy, holders, Date.now()).map((scene) => {
    const faults = appealFaults(scene.appeal, policy, holders);
    const right = scene.fault === undefined
      ? faults.length === 0
      : faults.some((fault) => scene.fault!.test(fault));
    return { name: scene.name, right, said: faults.length === 0 ? "in order" : faults.join("; ") };
  });
  const wrong = played.filter(({ right }) => !right);
  if (parsed.has("json")) {
    await out.write(`${JSON.stringify({ passed: wrong.length === 0, scenes: played }, null, 2)}\n`);
  } else {
    for (const { name, right, said } of played) {
      await out.write(`${right ? "seen  " : "MISSED"} ${name}: ${said}\n`);
    }
    await out.write(
      `governance: tabletop: ${played.length} scenes, ${wrong.length} judged wrongly\n`,
    );
  }
  if (parsed.has("write")) {
    const { tie_break, tie_break_hours } = policy.appeal;
    const id = await writeRecord(root, {
      title: "Rehearsal of an appeal",
      kind: "appeal",
      decision: wrong.length === 0 ? "passed" : "failed",
      rationale:
        "A rehearsal, with the clock moved by hand: a decision of class 0 is disputed over an objective that " +
        `is harmed; the review stays split for ${tie_break_hours} hours of review; ${
          tie_break.join(" and ")
        } break the tie together. Each mistake in that was seen.`,
      evidence: played.map(({ name, right, said }) =>
        `${name}: ${right ? said : `missed: ${said}`}`
      ),
    });
    await err.write(`governance: the record is ${id}\n`);
  }
  return wrong.length === 0 ? EXIT.ok : EXIT.failure;
}

/**
 * The scenes.
 *
 * @param now Milliseconds since 1970: when the rehearsed appeal is opened.
 */
export function scenes(policy: Policy, holders: Holders, now: number): Scene[] {
  const { triggers, tie_break, tie_break_hours } = policy.appeal;
  const after = reviewEnd(now, tie_break_hours);
  const votes = (at: number): Appeal["tieBreak"] =>
    tie_break.map((role) => ({ role, by: holders[role][0] ?? "nobody", upholds: true, at }));
  const good: Appeal = {
    against: "the class 0 decision of the rehearsal",
    trigger: triggers[1] ?? triggers[0]!,
    openedBy: holders.service_owners[0] ?? "a service owner",
    openedAt: now,
    evidence: ["handshake_latency_seconds: p95 61 ms before, 131 ms after; objective 80 ms"],
    asked: (["maintainers", "security", "service_owners"] as const).map((role) => ({
      role,
      at: now + HOUR,
    })),
    tieBreak: votes(after),
    decision: { upholds: true, rationale: "The harm is shown.", links: ["docs/GOVERNANCE.md"] },
  };
  const { agreedAt: _, ...open } = good;
  const scene = (name: string, change: Partial<Appeal>, fault?: RegExp): Scene => {
    return { name, appeal: { ...open, ...change }, fault };
  };
  const first = good.tieBreak[0]!;
  const tieBroken = tie_break_hours - 1;
  return [
    scene("harm is shown, the review is split, the tie is broken in time", {}),
    scene("the stakeholders agree before that", { agreedAt: now + 24 * HOUR, tieBreak: [] }),
    scene("no evidence of the harm", { evidence: [] }, /no evidence/),
    scene("a ground that is none", { trigger: "taste" }, /no ground/),
    scene("security is not asked", {
      asked: good.asked.filter(({ role }) => role !== "security"),
    }, /not asked of security/),
    scene(`the tie is broken after ${tieBroken} hours`, {
      tieBreak: votes(reviewEnd(now, tieBroken)),
    }, new RegExp(`after ${tieBroken} of ${tie_break_hours} hours`)),
    scene("one breaks it alone", { tieBreak: [first] }, /together: \w+ has not voted/),
    scene("somebody breaks it who does not hold the role", {
      tieBreak: good.tieBreak.map((vote, i) => i === 0 ? { ...vote, by: "somebody else" } : vote),
    }, /somebody else does not hold/),
    scene("a role without a vote joins in", {
      tieBreak: [...good.tieBreak, { ...first, role: "service_owners" }],
    }, /service_owners has no vote/),
    scene("they differ, and it is granted all the same", {
      tieBreak: good.tieBreak.map((vote, i) => i === 0 ? { ...vote, upholds: false } : vote),
    }, /not what those who broke the tie said/),
    scene("nothing is put on record", { decision: undefined }, /no decision is on record/),
    scene("the decision has no rationale", {
      decision: { ...good.decision!, rationale: "" },
    }, /no rationale/),
  ];
}
