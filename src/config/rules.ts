/**
 * Rules between keys. Each is tried when all keys it needs are legal alone, so that one fault is told
 * once, and all faults of a document at a time.
 *
 * @module
 */

import type { ConfigIssue, ConfigSnapshot } from "./config.ts";
import { shown } from "./issues.ts";
import type { ConfigPath, ValueAt } from "./key.ts";
import { unixPathFault } from "../uds/path.ts";
import { formatSize } from "./units.ts";

/** The value in force of a key: what was given, or the default. */
export type ValueOf = <P extends ConfigPath>(path: P) => ValueAt<P>;

/** Whether a source has set a key: a default does not count. */
export type IsGiven = (path: ConfigPath) => boolean;

/** One rule. */
export interface Rule {
  readonly needs: readonly ConfigPath[];
  /** The fault, if the values break the rule. */
  readonly broken: (value: ValueOf, given: IsGiven) => ConfigIssue | undefined;
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
    needs: ["backend", "amnesia.enabled", "arti.state_path"],
    broken(value) {
      if (value("backend") !== "arti" || value("amnesia.enabled")) return undefined;
      if (value("arti.state_path") !== "") return undefined;
      return {
        path: "arti.state_path",
        rule: 'must name a directory with backend "arti": Tor keeps its guards and keys there',
        got: "nothing",
        instead: "name a directory of mode 0700, or set amnesia.enabled = true to keep nothing",
      };
    },
  },
  {
    needs: ["backend", "uds.path"],
    broken(value) {
      if (value("backend") !== "arti" || value("uds.path") === "") return undefined;
      return {
        path: "uds.path",
        rule: 'must not be given with backend "arti": an onion service has no path',
        got: shown(value("uds.path")),
        instead: "leave it out, or take another transport for the Unix socket",
      };
    },
  },
  {
    needs: ["tls.cert_path", "tls.key_path"],
    broken(value) {
      const cert = value("tls.cert_path") !== "";
      if (cert === (value("tls.key_path") !== "")) return undefined;
      const [missing, present] = cert
        ? ["tls.key_path", "tls.cert_path"]
        : ["tls.cert_path", "tls.key_path"];
      return {
        path: missing,
        rule: `must be given with ${present}: a certificate and its key belong together`,
        got: "nothing",
        instead: "name both files, or neither",
      };
    },
  },
  {
    needs: ["tls_client.trust_store", "tls_client.ca_bundle_path"],
    broken(value) {
      const byPath = value("tls_client.trust_store") === "path";
      if (byPath === (value("tls_client.ca_bundle_path") !== "")) return undefined;
      return byPath
        ? {
          path: "tls_client.ca_bundle_path",
          rule: 'must name a file with tls_client.trust_store "path"',
          got: "nothing",
          instead: 'name a PEM file of roots, or set tls_client.trust_store = "system"',
        }
        : {
          path: "tls_client.trust_store",
          rule: 'must be "path" when tls_client.ca_bundle_path names a file',
          got: "system",
          instead: 'set tls_client.trust_store = "path", or leave the bundle out',
        };
    },
  },
  {
    needs: ["uds.path"],
    broken(value) {
      const path = value("uds.path");
      const rule = path === "" ? undefined : unixPathFault(path);
      if (rule === undefined) return undefined;
      return { path: "uds.path", rule, got: shown(path), instead: "name another path" };
    },
  },
  {
    needs: ["bind_addr", "uds.path"],
    broken(value, given) {
      if (value("uds.path") === "" || !given("bind_addr")) return undefined;
      return {
        path: "uds.path",
        rule: "must not be given with bind_addr: a transport binds one of them",
        got: shown(value("uds.path")),
        instead: "leave one of the two out",
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

/**
 * What is legal and yet worth telling.
 *
 * @param config A valid configuration.
 */
export function warningsOf(config: ConfigSnapshot): string[] {
  if (config.per_peer.max_conns !== 0) return [];
  return ["per_peer.max_conns is 0: one peer can take all max_conns connections"];
}
