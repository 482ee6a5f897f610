/**
 * Paths of files in a configuration that nobody reads.
 *
 * @module
 */

import type { ConfigIssue, ConfigSnapshot } from "./config.ts";
import type { ConfigPath } from "./key.ts";
import { valueAt } from "./own.ts";

/** What reads the files that keys name; core reads none. */
export interface FileReaders {
  readonly material?: unknown;
  readonly roots?: unknown;
  readonly token?: unknown;
}

/** The keys that name files, and what must read them. */
const FILE_KEYS: Readonly<Partial<Record<ConfigPath, keyof FileReaders>>> = Object.freeze({
  "tls.cert_path": "material",
  "tls.key_path": "material",
  "tls_client.ca_bundle_path": "roots",
  "auth.macaroon_path": "token",
});

/**
 * The faults of a configuration that names files where nothing reads them: a key is obeyed or refused,
 * never ignored.
 *
 * @param config A valid configuration.
 * @param readers The hooks of the host.
 */
export function unreadPaths(config: ConfigSnapshot, readers: FileReaders): ConfigIssue[] {
  return Object.entries(FILE_KEYS).flatMap(([path, reader]): ConfigIssue[] => {
    if (valueAt(config, path) === "" || readers[reader] !== undefined) return [];
    return [{
      path,
      rule: "names a file, and a transport reads none by itself",
      got: "a path",
      instead:
        "pass the hooks of loadConfig() of ./config, or leave it out and pass listen({ tls }) or dial({ tls })",
    }];
  });
}
