/**
 * Telling a host's hooks.
 *
 * @module
 */

import type { Counters } from "./counters.ts";

/** Runs a hook; what it throws stays with it, and is counted. */
export function tell(counters: Counters, hook: () => void): void {
  try {
    hook();
  } catch {
    counters.hookFailures++;
  }
}
