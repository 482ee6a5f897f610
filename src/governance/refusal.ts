/**
 * A refusal: what differs, what it is, and what to do.
 *
 * @module
 */

import type { Json } from "./log.ts";
import type { LevelOrNever } from "./policy.ts";

/** One refusal. */
export interface Refusal {
  /** Where the fault is: a path from the root. */
  readonly file: string;
  readonly identifier: string;
  /** `undefined` for what is not there. */
  readonly old: Json | undefined;
  readonly new: Json | undefined;
  readonly class: LevelOrNever;
  /** What is missing, or wrong. */
  readonly missing: string;
  /** What to do. */
  readonly remedy: string;
  /** Whether it fails also before the first release. */
  readonly immediate: boolean;
}

/** A refusal in one line. */
export function refusalText(refusal: Refusal): string {
  const { file, identifier, old, new: now, class: level, missing, remedy } = refusal;
  const grave = level === "never" ? "no class allows it" : `class ${level}`;
  return `${file}: ${identifier}: ${shown(old)} -> ${shown(now)} (${grave}); ${missing}; ${remedy}`;
}

/** A value in at most 80 characters. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return "none";
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
