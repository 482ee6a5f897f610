/**
 * The judgement: what differs between two builds, against the log.
 *
 * @module
 */

import { demandsOf, missingApproval } from "./approval.ts";
import { type Change, greatestStep, stepBetween } from "./classify.ts";
import { judgeEmergency } from "./emergency.ts";
import { type Identifiers, SNAPSHOT_FILE } from "./identifiers.ts";
import { type GovernanceLog, type Json, LOG_FILE, type LogEntry, type Touched } from "./log.ts";
import type { Holders } from "./maintainers.ts";
import { type Level, type Policy, type Step, STEPS } from "./policy.ts";
import { type Refusal, shown } from "./refusal.ts";

/** What is judged. Policy and holders are those of the base: a change does not choose its judges. */
export interface Case {
  readonly policy: Policy;
  readonly holders: Holders;
  /** What differs between the builds of base and head. */
  readonly changes: readonly Change[];
  /** What the library of head is. */
  readonly identifiers: Identifiers;
  readonly log: GovernanceLog;
  /** The log of the base. */
  readonly baseLog: GovernanceLog;
  /** Versions of base and head. */
  readonly versions: { readonly base: string; readonly head: string };
  /** Whether `CHANGELOG.md` changed. */
  readonly changelog: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** An entry with the changes that it covers. */
interface Covered {
  readonly entry: LogEntry;
  readonly changes: Change[];
}

/**
 * Judges a change.
 *
 * @returns Every refusal; none when all is in order.
 */
export function judge(matter: Case): Refusal[] {
  const { changes, log, baseLog } = matter;
  const fresh = log.entries.filter(({ id }) => !baseLog.entries.some((old) => old.id === id));
  const covered = new Map<string, Covered>();
  const refusals: Refusal[] = [...logFaults(matter)];
  for (const change of changes) {
    if (change.level === "never") refusals.push(forbidden(change));
    else if (needsRecord(change)) refusals.push(...recorded(matter, change, fresh, covered));
  }
  for (const { entry, changes } of covered.values()) {
    refusals.push(...approved(matter, entry, changes));
  }
  for (const entry of log.entries) {
    if (entry.kind !== "emergency") continue;
    refusals.push(...judgeEmergency(matter, entry, covered.get(entry.id)?.changes ?? []));
  }
  const told = new Set(refusals.map(({ identifier }) => identifier));
  for (const one of silentReverts(matter)) if (!told.has(one.identifier)) refusals.push(one);
  refusals.push(...release(matter));
  return refusals;
}

/** What the snapshot does not say of the library, or says otherwise. */
export function drift(changes: readonly Change[]): Refusal[] {
  return changes.map((change) => ({
    ...told(change),
    missing: `the library is not what ${SNAPSHOT_FILE} says`,
    remedy: change.level === "never"
      ? "put the refusal back"
      : "undo it, or run `ron-transport governance snapshot --write` and let the log say why",
    immediate: true,
  }));
}

function told({ file, identifier, old, new: now, level }: Change): Omit<
  Refusal,
  "missing" | "remedy" | "immediate"
> {
  return { file, identifier, old, new: now, class: level };
}

function forbidden(change: Change): Refusal {
  return {
    ...told(change),
    missing: "what was refused is not refused any more, and no approval makes that legal",
    remedy: "put the refusal back",
    immediate: true,
  };
}

function needsRecord({ level, area }: Change): boolean {
  return level === 0 || level === 1 || area !== undefined;
}

/** Finds the entry for a change; the refusal where there is none, or it says something else. */
function recorded(
  { log, baseLog }: Case,
  change: Change,
  fresh: readonly LogEntry[],
  covered: Map<string, Covered>,
): Refusal[] {
  const refuse = (missing: string, remedy: string): Refusal[] => [
    { ...told(change), missing, remedy, immediate: change.raises },
  ];
  const what = change.area === undefined || change.level !== 2
    ? `a record of class ${change.level}`
    : `a record with a signature of security, as ${change.area} is touched`;
  const naming = fresh.filter((one) => governs(one) && touches(one, change.identifier));
  const entry = naming.findLast(({ decision }) => decision !== "proposed") ?? naming.at(-1);
  if (entry === undefined) {
    return refuse(
      `missing: ${what} in ${LOG_FILE}`,
      "write one: `ron-transport governance draft` prints it",
    );
  }
  const { id, decision, class: declared } = entry;
  if (decision !== "approved") {
    const remedy = decision === "proposed"
      ? "merge it once that is decided"
      : "leave the change out, or propose it anew";
    return refuse(`${id} names it and is ${decision}`, remedy);
  }
  const exact = exactly(entry, change.identifier);
  if (exact !== undefined && !(same(exact.old, change.old) && same(exact.new, change.new))) {
    return refuse(
      `${id} approves ${shown(exact.old)} -> ${shown(exact.new)}, which is something else`,
      "change only what was approved",
    );
  }
  if (declared > (change.level as Level)) {
    return refuse(
      `${id} declares class ${declared}, and it is class ${change.level}`,
      `propose it as class ${change.level}`,
    );
  }
  const taken = takenBack(baseLog, change);
  if (taken !== undefined && !(entry.kind === "revert" && entry.reverts === taken.id)) {
    return refuse(
      `it takes back what ${taken.id} decided, and ${id} does not say so`,
      `record it with "kind": "revert" and "reverts": "${taken.id}"`,
    );
  }
  const all = covered.get(id) ?? { entry, changes: [] };
  covered.set(id, { ...all, changes: [...all.changes, change] });
  const later = log.entries.find(({ supersedes }) => supersedes === id);
  return later === undefined || touches(later, change.identifier) ? [] : refuse(
    `${later.id} supersedes ${id} and does not name it`,
    `name it in ${later.id}, or leave it out`,
  );
}

/** Votes, review and step of an entry, held to the gravest change that it covers. */
function approved(
  { policy, holders, changelog, now }: Case,
  entry: LogEntry,
  changes: readonly Change[],
): Refusal[] {
  if (entry.kind === "emergency") return [];
  const gravest = [...changes].sort((a, b) => Number(a.level) - Number(b.level))[0]!;
  const demands = { ...demandsOf(policy, gravest.level as Level) };
  for (const { family, area } of changes) {
    if (family?.maintainers !== undefined) demands.maintainers = family.maintainers;
    if (family?.review_days !== undefined) demands.reviewDays = family.review_days;
    if (area !== undefined) demands.security ??= `${area} is touched`;
  }
  const refuse = (missing: string, remedy: string): Refusal => ({
    ...told(gravest),
    missing: `${entry.id}: missing: ${missing}`,
    remedy,
    immediate: changes.some(({ raises }) => raises),
  });
  const refusals = missingApproval(entry, demands, holders, now).map((lack) =>
    refuse(lack, "merge it once that is there")
  );
  const step = greatestStep(changes.map((change) => change.step));
  if (STEPS.indexOf(entry.version_step) < STEPS.indexOf(step)) {
    refusals.push(
      refuse(`a ${step} step of the version; it declares ${entry.version_step}`, `make it ${step}`),
    );
  }
  if (!changelog && changes.some(({ identifier }) => identifier.startsWith("export:"))) {
    refusals.push(refuse("a sentence in CHANGELOG.md on the exports that changed", "add it"));
  }
  return refusals;
}

function* logFaults({ log, baseLog }: Case): Iterable<Refusal> {
  const fault = (identifier: string, missing: string, remedy: string): Refusal => ({
    file: LOG_FILE,
    identifier,
    old: undefined,
    new: undefined,
    class: 0,
    missing,
    remedy,
    immediate: false,
  });
  for (const one of log.faults) yield fault("log", one, "mend the entry");
  for (const old of baseLog.entries) {
    const now = log.entries.find(({ id }) => id === old.id);
    if (now !== undefined && JSON.stringify(filled(old, now)) === JSON.stringify(now)) continue;
    const what = now === undefined ? "is gone" : "is not what it was";
    yield fault(
      `log:${old.id}`,
      `the entry ${what}`,
      "put it back, and add one that supersedes it",
    );
  }
}

/** An entry with what could not be known when it was written: when it was merged, and as what. */
function filled(old: LogEntry, { merged, commit, proposal }: LogEntry): LogEntry {
  return {
    ...old,
    merged: old.merged ?? merged,
    commit: old.commit ?? commit,
    proposal: old.proposal ?? proposal,
  };
}

/** What an entry decided must hold until another entry decides otherwise. */
function* silentReverts({ log, identifiers }: Case): Iterable<Refusal> {
  const latest = new Map<string, [LogEntry, Touched]>();
  for (const entry of log.entries) {
    if (!governs(entry) || entry.decision !== "approved" || entry.merged === null) continue;
    for (const one of entry.touched) {
      if (!one.identifier.startsWith("path:")) latest.set(one.identifier, [entry, one]);
    }
  }
  for (const [identifier, [entry, { new: decided }]] of latest) {
    if (isPattern(identifier) || same(decided, identifiers[identifier])) continue;
    yield {
      file: LOG_FILE,
      identifier,
      old: decided,
      new: identifiers[identifier],
      class: entry.class,
      missing: `it is not what ${entry.id} decided: a revert needs a record of its own`,
      remedy: `put it back, or record it with "kind": "revert" and "reverts": "${entry.id}"`,
      immediate: false,
    };
  }
}

function* release({ changes, versions, changelog }: Case): Iterable<Refusal> {
  const { base, head } = versions;
  if (base === head) return;
  const made: Step | undefined = stepBetween(base, head);
  const wanted = greatestStep(changes.map(({ step }) => step));
  const cause = changes.find(({ step }) => step === wanted);
  const refuse = (missing: string, remedy: string): Refusal => ({
    file: "deno.json",
    identifier: "version",
    old: base,
    new: head,
    class: cause?.level ?? 2,
    missing,
    remedy,
    immediate: changes.some(({ raises }) => raises),
  });
  if (made === undefined) yield refuse("the version goes back", "step forward");
  else if (STEPS.indexOf(made) < STEPS.indexOf(wanted)) {
    yield refuse(
      `missing: a ${wanted} step, for ${cause?.identifier}; it is ${made}`,
      `release it as a ${wanted} version`,
    );
  }
  const api = changes.find(({ identifier }) => identifier.startsWith("export:"));
  if (api !== undefined && !changelog) {
    yield refuse(`missing: ${api.identifier} in CHANGELOG.md`, "say what changed for a user");
  }
}

function governs({ kind }: LogEntry): boolean {
  return kind === "change" || kind === "revert" || kind === "emergency";
}

/** An entry of the base whose change is undone. */
function takenBack(
  baseLog: GovernanceLog,
  { identifier, old, new: now }: Change,
): LogEntry | undefined {
  return baseLog.entries.findLast((entry) => {
    if (!governs(entry) || entry.decision !== "approved") return false;
    const one = exactly(entry, identifier);
    return one !== undefined && one.old !== null && same(one.old, now) && same(one.new, old);
  });
}

function touches({ touched }: LogEntry, identifier: string): boolean {
  return touched.some(({ identifier: one }) =>
    one === identifier || (isPattern(one) && identifier.startsWith(one.replace(/\*$/, "")))
  );
}

/** Names of many exports: `export:./oap#Decoder*`. */
function isPattern(identifier: string): boolean {
  return /^export:.*\*$/.test(identifier);
}

function exactly({ touched }: LogEntry, identifier: string): Touched | undefined {
  return touched.find((one) => one.identifier === identifier && !identifier.startsWith("path:"));
}

/** In the log, `null` is what is not there. */
function same(recorded: Json, value: Json | undefined): boolean {
  return JSON.stringify(recorded) === JSON.stringify(value ?? null);
}
