/**
 * The event of a governed change, made by the tool that carries the change out.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { TransportPolicyChanged } from "./events.ts";

const TS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const TEXTS = ["old", "new", "actor", "pr", "commit"] as const;
/** Most characters of one field. */
const MOST = 1_024;

/**
 * Makes the event of a policy change, checked.
 *
 * @param fields All fields; `ts` has a zone.
 * @returns The frozen event, for the same sink as the others.
 * @throws {TransportError} `config_invalid` naming the field that is missing or wrong.
 *
 * @example
 * ```ts
 * import { policyChanged } from "@ron/transport/audit";
 * import assert from "node:assert/strict";
 *
 * const event = policyChanged({
 *   class: 1,
 *   old: "per_peer.max_conns = 0",
 *   new: "per_peer.max_conns = 256",
 *   actor: "mia",
 *   pr: "12",
 *   commit: "4be1f0c",
 *   ts: "2026-01-05T10:00:00Z",
 * });
 * assert.equal(event.event, "TransportPolicyChanged");
 * ```
 */
export function policyChanged(
  fields: Omit<TransportPolicyChanged, "event">,
): TransportPolicyChanged {
  if (![0, 1, 2, 3].includes(fields.class)) throw wrong("class", "0, 1, 2 or 3", fields.class);
  for (const name of TEXTS) {
    const value: unknown = fields[name];
    if (typeof value !== "string" || value === "" || value.length > MOST) {
      throw wrong(name, `a text of 1 to ${MOST} characters`, value);
    }
  }
  if (!TS.test(fields.ts) || Number.isNaN(Date.parse(fields.ts))) {
    throw wrong("ts", "a time such as 2026-01-05T10:00:00Z, with its zone", fields.ts);
  }
  const { class: level, old, new: now, actor, pr, commit, ts } = fields;
  return Object.freeze({
    event: "TransportPolicyChanged",
    class: level,
    old,
    new: now,
    actor,
    pr,
    commit,
    ts,
  });
}

function wrong(field: string, wanted: string, got: unknown): TransportError {
  const shown = String(got).slice(0, 40);
  return new TransportError("config_invalid", `${field} must be ${wanted}, got ${shown}`, {
    op: "audit",
  });
}
