/**
 * What a configuration asks of the runtime that it cannot do.
 *
 * @module
 */

import { type KeyExchange, keyExchange } from "../runtime/detect.ts";
import type { ConfigIssue, ConfigSnapshot } from "./config.ts";

/**
 * The faults of a configuration that asks for what this runtime cannot do, found before any socket is
 * opened: there is no silent weaker mode.
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
