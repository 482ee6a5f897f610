/**
 * Paths of files in a configuration that nobody reads.
 *
 * @module
 */

import type { ConfigIssue, ConfigSnapshot } from "./config.ts";
import { ConfigError } from "./issues.ts";
import type { ConfigPath } from "./key.ts";
import { valueAt } from "./own.ts";

/** The keys that name files; core reads none. */
const FILE_KEYS: readonly ConfigPath[] = Object.freeze(["tls.cert_path", "tls.key_path"]);

/**
 * Refuses a configuration that names files where nothing reads them: a key is obeyed or refused, never
 * ignored.
 *
 * @param config A valid configuration.
 * @throws {ConfigError} With each such key.
 */
export function refusePaths(config: ConfigSnapshot): void {
  const issues = FILE_KEYS.flatMap((path): ConfigIssue[] => {
    if (valueAt(config, path) === "") return [];
    return [{
      path,
      rule: "names a file, and a transport reads none by itself",
      got: "a path",
      instead:
        "pass the hooks of loadConfig() of ./config, or leave it out and pass listen({ tls })",
    }];
  });
  if (issues.length > 0) throw new ConfigError(issues);
}
