/**
 * Who holds which role: `MAINTAINERS`, one line a role.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { type Role, ROLE_NAMES } from "./policy.ts";

/** Where it is, from the root of a checkout. */
export const MAINTAINERS_FILE = "MAINTAINERS" as const;

/** Names by role; each role has at least one. */
export type Holders = Readonly<Record<Role, readonly string[]>>;

/**
 * Reads `MAINTAINERS`: lines `role: name, name`, with comments after `#`.
 *
 * @param text The document.
 * @throws {TransportError} `config_invalid` for a line that is none, and a role that nobody holds.
 */
export function parseMaintainers(text: string): Holders {
  const found = new Map<string, string[]>();
  text.split("\n").forEach((whole, i) => {
    const line = whole.replace(/#.*$/, "").trim();
    if (line === "") return;
    const [role = "", names] = line.split(/:(.*)/s);
    if (names === undefined || !ROLE_NAMES.includes(role as Role)) {
      throw wrong(`${i + 1}: must be \`role: name, name\` with a role of ${list()}, got "${line}"`);
    }
    const held = names.split(",").map((name) => name.trim()).filter((name) => name !== "");
    found.set(role, [...new Set([...found.get(role) ?? [], ...held])]);
  });
  const missing = ROLE_NAMES.find((role) => (found.get(role)?.length ?? 0) === 0);
  if (missing !== undefined) throw wrong(`1: nobody holds the role ${missing}`);
  return Object.fromEntries(found) as Holders & Record<string, string[]>;
}

/** The roles as identifiers. */
export function roleIdentifiers(holders: Holders): Record<string, unknown> {
  return Object.fromEntries(ROLE_NAMES.map((role) => [`role:${role}`, [...holders[role]].sort()]));
}

function list(): string {
  return ROLE_NAMES.join(", ");
}

function wrong(what: string): TransportError {
  return new TransportError("config_invalid", `${MAINTAINERS_FILE}:${what}`, { op: "governance" });
}
