/**
 * From what is not released yet to a section with a version and a date.
 *
 * @module
 */

import type { Step } from "../../src/governance/policy.ts";

const OPEN = /^## (?:Unreleased|v?(\d+\.\d+\.\d+), not yet released)$/m;

/** The part of a changelog that is not released yet. */
export interface Unreleased {
  readonly heading: string;
  /** The version that the heading names, of a first release. */
  readonly version: string | undefined;
  readonly text: string;
}

/** @throws When there is none, or nothing in it. */
export function unreleased(changelog: string): Unreleased {
  const match = OPEN.exec(changelog);
  if (match === null) throw new Error("CHANGELOG.md has no section `## Unreleased`");
  const from = match.index + match[0].length;
  const next = changelog.indexOf("\n## ", from);
  const text = changelog.slice(from, next === -1 ? undefined : next).trim();
  if (text === "") throw new Error("CHANGELOG.md says nothing of what is not released yet");
  return { heading: match[0], version: match[1], text };
}

/** The changelog with its open section as one of a version, and a new open one if `after` it. */
export function released(changelog: string, version: string, day: string): string {
  return changelog.replace(unreleased(changelog).heading, `## ${version} - ${day}`);
}

/**
 * Exports that changed and that the section does not name.
 *
 * @param identifiers Such as `export:./oap#Decoder.push`.
 */
export function uncovered(text: string, identifiers: readonly string[]): string[] {
  const words = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  return identifiers.filter((identifier) => {
    const names = (identifier.split("#").at(-1) ?? "").split(".");
    return !names.some((name) => words.has(name));
  });
}

/** The version after a step; before 1.0.0 a major step is told, and taken, as one. */
export function next(version: string, step: Step): string {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (step === "major") return `${major + 1}.0.0`;
  if (step === "minor") return `${major}.${minor + 1}.0`;
  return step === "patch" ? `${major}.${minor}.${patch + 1}` : `${major}.${minor}.${patch}`;
}
