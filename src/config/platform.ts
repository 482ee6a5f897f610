/**
 * What a configuration asks of the runtime that it cannot do.
 *
 * @module
 */

import { type KeyExchange, keyExchange } from "../runtime/detect.ts";
import type { ConfigIssue, ConfigSnapshot } from "./config.ts";
import { ConfigError } from "./issues.ts";

/**
 * Refuses what this runtime cannot do, before any socket is opened: there is no silent weaker mode.
 *
 * @param config A valid configuration.
 * @throws {ConfigError} Naming the runtime and what it lacks.
 */
export function refuseUnable(config: ConfigSnapshot): void {
  const issues = unable(config);
  if (issues.length > 0) throw new ConfigError(issues);
}

/**
 * Every fault that {@linkcode refuseUnable} would throw.
 *
 * @param config A valid configuration.
 * @param able What the runtime can do.
 */
export function unable(
  { pq }: ConfigSnapshot,
  able: KeyExchange = keyExchange(),
): readonly ConfigIssue[] {
  const { hybrid, restricts, runtime } = able;
  const issues: ConfigIssue[] = [];
  if (pq.mode === "hybrid" && !hybrid) {
    const lack = restricts ? "has no X25519MLKEM768" : "cannot be told which groups to offer";
    issues.push({
      path: "pq.mode",
      rule: `"hybrid" needs a runtime that can offer X25519MLKEM768 first; ${runtime} ${lack}`,
      got: "hybrid",
      instead: 'set pq.mode = "off", or use Bun, or Node with OpenSSL 3.5 or later',
    });
  }
  if (pq.enforce && !restricts) {
    issues.push({
      path: "pq.enforce",
      rule: `needs a runtime that can restrict key exchange; ${runtime} cannot`,
      got: "true",
      instead: "set pq.enforce = false, or use Bun or Node",
    });
  }
  return issues;
}
