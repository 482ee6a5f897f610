/**
 * Frozen identifiers with their values, and the one committed snapshot of them.
 *
 * An identifier is `family:name`, such as `cap:frameBytes`; the families are those of the policy. What
 * has no value beside its name has `true`.
 *
 * @module
 */

import { z } from "zod";
import { faultsOf } from "./faults.ts";
import type { Json } from "./log.ts";

/** Where the snapshot is, from the root of a checkout. */
export const SNAPSHOT_FILE = "governance/snapshot.json" as const;

/** Values by identifier. */
export type Identifiers = Readonly<Record<string, Json>>;

const SNAPSHOT = z.record(z.string().regex(/^[a-z_]+:./, "must be family:name"), z.json());

/**
 * Reads a snapshot.
 *
 * @param text What `governance/snapshot.json` holds.
 * @throws {TransportError} `config_invalid` with each fault and its place.
 */
export function parseSnapshot(text: string): Identifiers {
  return faultsOf(SNAPSHOT_FILE, text, SNAPSHOT);
}

/** A snapshot as it is committed: sorted, one identifier a line, so that two changes merge. */
export function snapshotText(identifiers: Identifiers): string {
  const lines = Object.keys(identifiers).sort().map((name) =>
    `  ${JSON.stringify(name)}: ${JSON.stringify(identifiers[name])}`
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** One identifier that differs; `undefined` where it is not there. */
export interface Difference {
  readonly identifier: string;
  readonly old: Json | undefined;
  readonly new: Json | undefined;
}

/** What differs, in the order of the identifiers. */
export function differences(before: Identifiers, after: Identifiers): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((identifier) => {
    const [old, now] = [before[identifier], after[identifier]];
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [{ identifier, old, new: now }];
  });
}

/** The part before the colon. */
export function familyOf(identifier: string): string {
  return identifier.slice(0, identifier.indexOf(":"));
}
