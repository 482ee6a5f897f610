/**
 * Rules between keys. Each is tried when all keys it needs are legal alone, so that one fault is told
 * once, and all faults of a document at a time.
 *
 * @module
 */

import type { ConfigIssue } from "./config.ts";
import type { ConfigPath, ValueAt } from "./key.ts";
import { formatSize } from "./units.ts";

/** The value in force of a key: what was given, or the default. */
export type ValueOf = <P extends ConfigPath>(path: P) => ValueAt<P>;

/** One rule. */
export interface Rule {
  readonly needs: readonly ConfigPath[];
  /** The fault, if the values break the rule. */
  readonly broken: (value: ValueOf) => ConfigIssue | undefined;
}

/** All rules. */
export const RULES: readonly Rule[] = Object.freeze<Rule[]>([
  {
    needs: ["backend", "tls.enabled"],
    broken(value) {
      if (value("backend") !== "tls" || value("tls.enabled")) return undefined;
      return {
        path: "tls.enabled",
        rule: 'must be true with backend "tls"',
        got: "false",
        instead: 'set tls.enabled = true, or backend = "tcp"',
      };
    },
  },
  {
    needs: ["backend", "tls.enabled"],
    broken(value) {
      if (value("backend") !== "tcp" || !value("tls.enabled")) return undefined;
      return {
        path: "tls.enabled",
        rule: 'must be false with backend "tcp"',
        got: "true",
        instead: 'set backend = "tls", or tls.enabled = false',
      };
    },
  },
  {
    needs: ["limits.max_frame_bytes", "limits.chunk_bytes"],
    broken(value) {
      const frame = value("limits.max_frame_bytes");
      const chunk = value("limits.chunk_bytes");
      if (chunk <= frame) return undefined;
      return {
        path: "limits.chunk_bytes",
        rule: `must be at most limits.max_frame_bytes (${formatSize(frame)})`,
        got: formatSize(chunk),
        limit: `at most ${formatSize(frame)}`,
        instead: `write ${formatSize(frame)} or less`,
      };
    },
  },
]);
