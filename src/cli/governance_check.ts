/**
 * `governance check`: what a change is, and what it lacks.
 *
 * @module
 */

import { ceilingFaults, frozenFaults, guardFaults, RUST_CAPS } from "../governance/ceilings.ts";
import { classify, gravest, greatestStep } from "../governance/classify.ts";
import {
  differences,
  type Identifiers,
  parseSnapshot,
  SNAPSHOT_FILE,
} from "../governance/identifiers.ts";
import { drift, judge } from "../governance/judge.ts";
import { type Refusal, refusalText, shown } from "../governance/refusal.ts";
import { join, readTextIfAny } from "../runtime/host_files.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot } from "./governance_checkout.ts";
import { type Bases, compare, type Comparison } from "./governance_compare.ts";
import { homeOf } from "./governance_files.ts";

/**
 * Checks a checkout.
 *
 * @returns 0 when nothing is refused; before the first release also when what is refused only lacks papers.
 */
export async function check(parsed: Parsed, { out }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const checked = await checkTree(root, parsed.value("base"));
  await out.write(parsed.has("json") ? JSON.stringify(checked.data, null, 2) + "\n" : checked.text);
  return checked.code;
}

/** What a check came to. */
export interface Checked {
  /** The exit code. */
  readonly code: number;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Checks a tree.
 *
 * @param root The checkout.
 * @param asked The revision to compare with.
 * @param bases See {@linkcode compare}.
 */
export async function checkTree(
  root: string,
  asked: string | undefined,
  bases?: Bases,
): Promise<Checked> {
  const found = await compare(root, asked, bases);
  const refusals = await refusalsOf(found, Date.now());
  const failing = refusals.filter(({ immediate }) => immediate || found.released);
  const { base, notes, released, changes } = found;
  const told = changes.map(({ family: _, ...change }) => change);
  return {
    code: failing.length === 0 ? EXIT.ok : EXIT.failure,
    text: [...report(found), ...verdict(found, refusals), ""].join("\n"),
    data: { base, notes, released, ...summary(found), changes: told, refusals },
  };
}

/**
 * Everything that is refused.
 *
 * @param found The comparison.
 * @param now Milliseconds since 1970.
 */
export async function refusalsOf(found: Comparison, now: number): Promise<Refusal[]> {
  const { root, documents, baseDocuments, head, changes, files } = found;
  const { policy, log } = documents;
  const snapshot = await readTextIfAny(join(root, SNAPSHOT_FILE));
  const frozen: Identifiers = snapshot === undefined ? {} : parseSnapshot(snapshot);
  const drifted = differences(frozen, head.identifiers).map((one) =>
    classify(policy, one, homeOf(policy, one.identifier, files, head.files))
  );
  const rust = await readTextIfAny(join(root, RUST_CAPS)) ?? "";
  return unique([
    ...drift(drifted),
    ...guardFaults(head.identifiers),
    ...ceilingFaults(policy.frozen, {
      found: head,
      sha256: head.identifiers["artefact:sha256"],
      rust,
    }),
    ...frozenFaults(policy.frozen, head.identifiers),
    ...judge({
      policy: baseDocuments?.policy ?? policy,
      holders: baseDocuments?.holders ?? documents.holders,
      changes,
      identifiers: { ...documents.identifiers, ...head.identifiers },
      log,
      baseLog: baseDocuments?.log ?? log,
      versions: { base: baseDocuments?.version ?? documents.version, head: documents.version },
      changelog: files.includes("CHANGELOG.md"),
      now,
    }),
  ]);
}

/** Each once; of what is never legal only the last word. */
function unique(refusals: readonly Refusal[]): Refusal[] {
  const key = (one: Refusal): string =>
    one.class === "never" ? `never ${one.identifier}` : refusalText(one);
  return [...new Map(refusals.map((one) => [key(one), one])).values()];
}

function summary({ changes }: Comparison): { class: unknown; step: string } {
  return {
    class: gravest(changes) ?? null,
    step: greatestStep(changes.map(({ step }) => step)),
  };
}

function* report(found: Comparison): Iterable<string> {
  const { base, notes, changes } = found;
  yield typeof base === "string"
    ? `compared with the committed snapshot only: ${base}`
    : `compared with ${base.commit.slice(0, 9)} (${base.why})`;
  for (const note of notes) yield `note: ${note}`;
  for (const { file, identifier, old, new: now, level } of changes.slice(0, MOST_TOLD)) {
    yield `class ${level}: ${identifier}: ${shown(old)} -> ${shown(now)} (${file})`;
  }
  if (changes.length > MOST_TOLD) yield `and ${changes.length - MOST_TOLD} more (--json has all)`;
  const { class: level, step } = summary(found);
  yield changes.length === 0
    ? "no frozen identifier differs: class 2, patch"
    : `the change is class ${level}, and a release of it steps ${step}`;
}

const MOST_TOLD = 200;

function* verdict({ released }: Comparison, refusals: readonly Refusal[]): Iterable<string> {
  const failing = refusals.filter(({ immediate }) => immediate || released);
  const later = refusals.filter((one) => !failing.includes(one));
  for (const one of failing) yield `REFUSED ${refusalText(one)}`;
  for (const one of later) yield `would be refused ${refusalText(one)}`;
  if (later.length > 0) {
    yield `${later.length} of these are refused from the first release on; until then they are only told`;
  }
  yield failing.length === 0
    ? "governance: nothing is refused"
    : `governance: ${failing.length} refused`;
}
