/**
 * From what differs to its class: derived from the identifiers alone, never from what anybody declares.
 *
 * @module
 */

import { parseSize } from "../config/units.ts";
import { type Difference, familyOf } from "./identifiers.ts";
import type { Json } from "./log.ts";
import { type Family, type LevelOrNever, type Policy, type Step, STEPS } from "./policy.ts";

/** How a value differs. */
export type How = "added" | "widened" | "changed" | "removed";

/** One difference and what it takes. */
export interface Change extends Difference {
  /** Where it was made: a path from the root. */
  readonly file: string;
  readonly how: How;
  /** Its class; `never` for what no approval makes legal. */
  readonly level: LevelOrNever;
  /** The least step of the version. */
  readonly step: Step;
  /** The area that security signs for, if it is in one. */
  readonly area: string | undefined;
  /** Whether a ceiling grows or goes. */
  readonly raises: boolean;
  /** Whether it bounds more than before, or bounds nothing. */
  readonly lowers: boolean;
  readonly family: Family | undefined;
}

/**
 * Derives the class of one difference.
 *
 * @param policy The policy.
 * @param difference The identifier and its values.
 * @param file Where it was made.
 */
export function classify(policy: Policy, difference: Difference, file: string): Change {
  const { identifier, old, new: now } = difference;
  const family = policy.families[familyOf(identifier)];
  const how = howOf(difference, family);
  // What no family knows is as grave as can be: a check that is older than what it judges fails closed.
  let level: LevelOrNever = family?.[how] ?? 0;
  const own = how === "added"
    ? family?.added_release
    : how === "widened"
    ? family?.widened_release
    : undefined;
  const area = areaOf(policy, identifier);
  if (identifier.startsWith("path:")) {
    const path = identifier.slice("path:".length);
    const { paths, class: judged } = policy.the_check;
    if (paths.some((start) => path.startsWith(start)) && (level === "never" || level > judged)) {
      level = judged;
    }
  }
  return {
    ...difference,
    file,
    how,
    level,
    step: own ?? policy.classes[level === "never" ? 0 : level].release,
    area,
    raises: familyOf(identifier) === "cap" && old !== undefined && !atMost(now, old),
    lowers: lowers(identifier, old, now),
    family,
  };
}

/** The gravest class of all, `undefined` without any. */
export function gravest(changes: readonly Change[]): LevelOrNever | undefined {
  const levels = changes.map(({ level }) => level);
  if (levels.includes("never")) return "never";
  return levels.length === 0 ? undefined : Math.min(...levels as number[]) as LevelOrNever;
}

/** The greatest step of all. */
export function greatestStep(steps: Iterable<Step>): Step {
  let most = 0;
  for (const step of steps) most = Math.max(most, STEPS.indexOf(step));
  return STEPS[most]!;
}

/** Which step leads from one version to another; `undefined` when it leads back. */
export function stepBetween(before: string, after: string): Step | undefined {
  const [old, now] = [numbers(before), numbers(after)];
  const names: readonly Step[] = ["major", "minor", "patch"];
  for (const [i, name] of names.entries()) {
    if (now[i]! > old[i]!) return name;
    if (now[i]! < old[i]!) return undefined;
  }
  return "none";
}

function numbers(version: string): number[] {
  const [core = ""] = version.replace(/^v/, "").split("-");
  return [0, 1, 2].map((i) => Number(core.split(".")[i]) || 0);
}

function howOf({ old, new: now }: Difference, family: Family | undefined): How {
  if (old === undefined) return "added";
  if (now === undefined) return "removed";
  return family?.widened !== undefined && widens(old, now) ? "widened" : "changed";
}

/** Whether a value allows all that it allowed before: more words, a further argument that may be left out. */
function widens(old: Json, now: Json): boolean {
  if (typeof old === "number" && typeof now === "number") return now > old;
  if (Array.isArray(old) && Array.isArray(now)) {
    const words = new Set(now.map((word) => JSON.stringify(word)));
    return old.every((word) => words.has(JSON.stringify(word)));
  }
  const [before, after] = [signature(old), signature(now)];
  if (before === undefined || after === undefined) return false;
  const more = after.takes.slice(before.takes.length);
  return before.rest === after.rest && more.length > 0 &&
    before.takes.every((type, i) => type === after.takes[i]) &&
    more.every((type) => type.endsWith("?") || type.startsWith("..."));
}

function signature(value: Json): { takes: string[]; rest: string } | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { takes, ...rest } = value;
  return Array.isArray(takes)
    ? { takes: takes.map(String), rest: JSON.stringify(rest) }
    : undefined;
}

function areaOf(policy: Policy, identifier: string): string | undefined {
  const family = familyOf(identifier);
  const name = identifier.slice(family.length + 1);
  const keys = ["default", "range", "setting", "reload"].includes(family);
  return Object.entries(policy.signed_areas).find(([, { paths, identifiers }]) =>
    (keys ? identifiers : family === "path" ? paths : []).some((start) => name.startsWith(start))
  )?.[0];
}

function lowers(identifier: string, old: Json | undefined, now: Json | undefined): boolean {
  if (old === undefined || now === undefined) return false;
  switch (familyOf(identifier)) {
    case "artefact":
    case "path":
      return true; // says nothing by itself: what it does is told by other identifiers
    case "cap":
      return atMost(now, old);
    case "policy":
      return identifier === "policy:digest" ||
        (identifier.startsWith("policy:frozen.caps.") && atMost(now, old));
    case "default":
    case "range":
      return atMost(greatestSize(now), greatestSize(old));
    default:
      return false;
  }
}

function atMost(now: Json | undefined, old: Json | undefined): boolean {
  return typeof now === "number" && typeof old === "number" && now <= old;
}

/** The size in `1MiB` or in the end of `64KiB to 1MiB`. */
function greatestSize(value: Json): number | undefined {
  return typeof value === "string" ? parseSize(value.split(" to ").at(-1) ?? "") : undefined;
}
