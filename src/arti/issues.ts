/**
 * What a transport cannot do about Tor once it is made, and what it needs before.
 *
 * @module
 */

import type { ConfigIssue, ConfigSnapshot } from "../config/config.ts";

/**
 * The faults of a configuration that asks for Tor without the entry `./arti`, or for another client than the
 * one that a transport has: a client belongs to its transport from the first moment to the last.
 *
 * @param to A valid configuration.
 * @param from The one in force, if there is one.
 * @param hooked Whether {@linkcode TransportHooks.arti} is there.
 */
export function torIssues(
  to: ConfigSnapshot,
  from: ConfigSnapshot | undefined,
  hooked: boolean,
): ConfigIssue[] {
  const tor = to.backend === "arti";
  if (tor && !hooked) return [NO_HOOK];
  if (from === undefined) return [];
  if (tor !== (from.backend === "arti")) return [stays("backend", to.backend)];
  if (!tor) return [];
  const issues: ConfigIssue[] = [];
  if (to.amnesia.enabled !== from.amnesia.enabled) {
    issues.push(stays("amnesia.enabled", String(to.amnesia.enabled)));
  }
  for (const key of ["state_path", "config_path"] as const) {
    if (to.arti[key] !== from.arti[key]) issues.push(stays(`arti.${key}`, "another path"));
  }
  return issues;
}

const NO_HOOK: ConfigIssue = Object.freeze({
  path: "backend",
  rule: '"arti" needs the entry ./arti',
  got: "arti",
  instead: "pass its hook, arti() of @ron/transport/arti: new Transport(config, { arti: arti() })",
});

function stays(path: string, got: string): ConfigIssue {
  return {
    path,
    rule: "must stay as it is while a transport runs on Tor, or without",
    got,
    instead: "start another transport, and drain this one",
  };
}
