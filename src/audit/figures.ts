/**
 * The figures that governance decides: the ceilings and the defaults of this build.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { KEY_LIST } from "../config/keys.ts";
import type { TransportPolicyChanged } from "./events.ts";
import { policyChanged } from "./policy.ts";
import type { PolicyFigures, RecordedPolicy } from "./recorded.ts";

/** Names that only the record has and that are told; a record is the host's, and may hold anything. */
const MOST_UNKNOWN = 256;
/** Most characters of one figure in an event. */
const MOST = 1_024;

/**
 * The ceilings and defaults of this build, to be kept and passed to the next start as
 * `hooks.recordedPolicy`: what differs then is told to `onAudit`.
 *
 * @returns A new frozen table.
 *
 * @example
 * ```ts
 * import { policyFigures } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * assert.equal(policyFigures()["cap:frameBytes"], 1_048_576);
 * assert.equal(policyFigures()["default:idle_timeout"], "60s");
 * ```
 */
export function policyFigures(): PolicyFigures {
  const caps = Object.entries(CAPS).map(([name, cap]) => [`cap:${name}`, cap]);
  const defaults = KEY_LIST.map((key) => [`default:${key.path}`, key.default]);
  return Object.freeze(Object.fromEntries([...caps, ...defaults]));
}

/**
 * One event for each figure that is not what the record says.
 *
 * @param recorded What the host has on record.
 * @param ts When, ISO 8601.
 * @throws {TransportError} `config_invalid` for an empty or overlong actor, pr or commit.
 */
export function figureEvents(recorded: RecordedPolicy, ts: string): TransportPolicyChanged[] {
  const { figures, actor = "unknown", pr = "unknown", commit = "unknown" } = recorded;
  const ours = policyFigures();
  const gone = Object.keys(figures).filter((name) => !Object.hasOwn(ours, name));
  return [...Object.keys(ours), ...gone.slice(0, MOST_UNKNOWN)].flatMap((name) => {
    const old = figureText(name, Object.hasOwn(figures, name) ? figures[name] : undefined);
    const now = figureText(name, ours[name]);
    if (old === now) return [];
    const level = name.startsWith("cap:") ? 0 : 1;
    return [policyChanged({ class: level, old, new: now, actor, pr, commit, ts })];
  });
}

/** A figure as events tell it: `cap:frameBytes = 1048576`, in at most 1024 characters. */
export function figureText(name: string, value: unknown): string {
  const shown = value === undefined || value === null
    ? "none"
    : typeof value === "string"
    ? value
    : typeof value === "bigint"
    ? String(value)
    : JSON.stringify(value);
  const text = `${name} = ${shown}`;
  return text.length <= MOST ? text : `${text.slice(0, MOST - 3)}...`;
}
