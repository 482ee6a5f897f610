/**
 * From flags, environment and file to one frozen configuration, with where each value came from.
 *
 * @module
 */

import { environment } from "../runtime/host.ts";
import { FileError, readSmall, sha256Of, socketDirectoryFault } from "../runtime/host_config.ts";
import type { TlsMaterial } from "../tls/options.ts";
import type { ConfigIssue, ConfigSnapshot, TransportConfig } from "./config.ts";
import { readDocument, unreadable } from "./document.ts";
import {
  checkToken,
  fileRule,
  MOST_FILE_BYTES,
  namesMaterial,
  readMaterial,
  readRoots,
} from "./files.ts";
import { ConfigError } from "./issues.ts";
import { KEY_LIST } from "./keys.ts";
import { unable } from "./platform.ts";
import { deepFreeze, put, valueAt } from "./own.ts";
import { checkValues, settled, type Where } from "./schema.ts";
import { envDocument, FILE_FLAG, flagDocument, NO_SOURCE, type SourceDocument } from "./sources.ts";

/** Where a configuration comes from; flags beat the environment, and that beats the file. */
export interface ConfigSources {
  /** Path of a TOML file, or of a JSON file if it ends in `.json`. One that is not there gives nothing. */
  file?: string;
  /** Environment variables by name; those that do not begin with `RON_TRANSPORT_` do not count. @default The process's own. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Flags by name without dashes, such as `transport.max-conns`; `true` for one without a value. @default {{}} */
  flags?: Readonly<Record<string, string | true | undefined>>;
  /** Whether a file that is not there is a fault. @default {false} */
  mustExist?: boolean;
  /** Whether the TLS material of listeners comes from elsewhere than the configured paths. @default {false} */
  ownMaterial?: boolean;
}

/** The source of a value that none has set. */
const DEFAULT = "default";

/** A configuration as it was loaded. */
export interface LoadedConfig {
  /** The merged document, for `new Transport(…)` and `transport.reload(…)`. Frozen. */
  readonly document: TransportConfig;
  /** The same, validated, with the defaults. Frozen. */
  readonly config: ConfigSnapshot;
  /** Of each key, where its value came from: `file:line:column`, a variable, a flag, or `default`. */
  readonly sources: Readonly<Record<string, string>>;
  /** What is legal and yet worth telling, such as an old name. */
  readonly warnings: readonly string[];
  /** Hooks for `new Transport(document, hooks)`: they read the TLS material that the document names. */
  readonly hooks: MaterialHooks;
  /** SHA-256 of all files read: equal as long as none changed. */
  readonly digest: string;
  /** Whether there was a file of the configuration. */
  readonly found: boolean;
  /** Paths of all files read, or looked for. */
  readonly files: readonly string[];
}

/** See {@linkcode LoadedConfig.hooks}. */
export interface MaterialHooks {
  /**
   * Reads and checks the certificate and key that a configuration names.
   *
   * @throws {ConfigError} With every fault of the files.
   */
  readonly material: (config: ConfigSnapshot) => Promise<TlsMaterial>;
  /**
   * Reads and checks the trusted roots that a configuration names.
   *
   * @throws {ConfigError} With every fault of the file.
   */
  readonly roots: (config: ConfigSnapshot) => Promise<string>;
  /**
   * Checks the file of the token that a configuration names; what is in it is for the host to read.
   *
   * @throws {ConfigError} With every fault of the file.
   */
  readonly token: (config: ConfigSnapshot) => Promise<void>;
}

/**
 * Loads a configuration: reads the sources, merges them, validates the whole, and checks the files
 * that it names.
 *
 * @param sources Where from.
 * @returns Frozen; nothing of it changes when the sources do.
 * @throws {ConfigError} `config_invalid` with every fault of every source at once.
 *
 * @example A flag beats the environment
 * ```ts
 * import { loadConfig } from "@ron/transport/config";
 * import assert from "node:assert/strict";
 *
 * const { config, sources } = await loadConfig({
 *   env: { RON_TRANSPORT_MAX_CONNS: "100", RON_TRANSPORT_IDLE_TIMEOUT: "30s" },
 *   flags: { "transport.max-conns": "50" },
 * });
 * assert.equal(config.max_conns, 50);
 * assert.equal(sources["max_conns"], "--transport.max-conns");
 * assert.equal(config.idle_timeout, 30_000);
 * ```
 */
export async function loadConfig(sources: ConfigSources = {}): Promise<LoadedConfig> {
  const flags = sources.flags ?? {};
  const named = flags[FILE_FLAG];
  const path = typeof named === "string" ? named : sources.file;
  const file = path === undefined ? undefined : await fileSource(path, sources.mustExist === true);
  const env = envDocument(sources.env ?? environment());
  // From the least to the greatest: a later one beats those before.
  const merged = merge([file?.source ?? NO_SOURCE, env, flagDocument(flags)]);
  const missing = file !== undefined && file.bytes === undefined
    ? [`${path} is not there: its keys have their defaults`]
    : [];
  const where = (key: string): string | undefined => {
    return merged.sources[key] === DEFAULT ? undefined : merged.sources[key];
  };
  const checked = settled(merged.document, merged.issues, merged.warnings, where);
  if (checked.snapshot === undefined) throw new ConfigError(checked.issues);
  const config = checked.snapshot;
  const warnings = [...missing, ...checked.warnings];
  const parts = [file?.bytes ?? new Uint8Array()];
  if (needsMaterial(config, sources)) {
    const read = await readMaterial(config);
    if (read.material === undefined) throw new ConfigError(placed(read.issues, where));
    parts.push(read.material.cert, read.material.key);
  }
  const faults = [...unable(config), ...await socketFaults(config)];
  if (faults.length > 0) throw new ConfigError(placed(faults, where));
  if (config.tls_client.ca_bundle_path !== "") {
    const read = await readRoots(config);
    if (read.roots === undefined) throw new ConfigError(placed(read.issues, where));
    parts.push(read.roots);
    warnings.push(...read.warnings);
  }
  if (config.auth.macaroon_path !== "") {
    const { issues, warnings: more } = await checkToken(config, Date.now());
    if (issues.length > 0) throw new ConfigError(placed(issues, where));
    warnings.push(...more);
  }
  return Object.freeze({
    document: deepFreeze(merged.document),
    config,
    sources: Object.freeze(merged.sources),
    warnings: Object.freeze(warnings),
    hooks: MATERIAL_HOOKS,
    digest: sha256Of(...parts),
    found: file?.bytes !== undefined,
    files: [
      path,
      config.tls.cert_path,
      config.tls.key_path,
      config.tls_client.ca_bundle_path,
      config.auth.macaroon_path,
    ].filter((one) => one) as string[],
  });
}

const MATERIAL_HOOKS: MaterialHooks = Object.freeze({
  material: async (config: ConfigSnapshot): Promise<TlsMaterial> => {
    const { material, issues } = await readMaterial(config);
    if (material === undefined) throw new ConfigError(issues);
    return material;
  },
  roots: async (config: ConfigSnapshot): Promise<string> => {
    const { roots, issues } = await readRoots(config);
    if (roots === undefined) throw new ConfigError(issues);
    return new TextDecoder().decode(roots);
  },
  token: async (config: ConfigSnapshot): Promise<void> => {
    const { issues } = await checkToken(config, Date.now());
    if (issues.length > 0) throw new ConfigError(issues);
  },
});

/** Whether the directory of a Unix socket lets nobody else in. */
async function socketFaults({ uds }: ConfigSnapshot): Promise<ConfigIssue[]> {
  const fault = uds.path === "" ? undefined : await socketDirectoryFault(uds.path);
  if (fault === undefined) return [];
  const rule = "must lie in a directory of mode 0700 that belongs to this user";
  return [{
    path: "uds.path",
    rule,
    got: fault.slice(0, 300),
    instead: "name another path, or mend it",
  }];
}

/** A transport that only dials shows no certificate. */
function needsMaterial(config: ConfigSnapshot, { ownMaterial }: ConfigSources): boolean {
  if (namesMaterial(config)) return true;
  return ownMaterial !== true && config.tls.enabled && config.bind_addr !== null;
}

interface FileSource {
  readonly source: SourceDocument;
  /** Absent where there is no file. */
  readonly bytes?: Uint8Array;
}

async function fileSource(path: string, mustExist: boolean): Promise<FileSource> {
  try {
    const { bytes } = await readSmall(path, MOST_FILE_BYTES);
    return { source: readDocument(path, bytes), bytes };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.fault === "missing" && !mustExist) return { source: NO_SOURCE };
    const { rule, got } = fileRule(error);
    return { source: unreadable(path, `file ${rule}`, got, "name a readable file") };
  }
}

interface Merged {
  readonly document: TransportConfig;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
  readonly sources: Record<string, string>;
}

/** A value that a later source beats is still checked: what is wrong is told, and not hidden. */
function merge(sources: readonly SourceDocument[]): Merged {
  const document: Record<string, unknown> = {};
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  const places: Record<string, string> = Object.fromEntries(
    KEY_LIST.map(({ path }) => [path, DEFAULT]),
  );
  for (const source of sources) {
    if (isEmpty(source)) continue;
    const checked = checkValues(source.document);
    issues.push(...source.issues);
    issues.push(...checked.issues.map((issue) => ({ ...issue, source: source.where(issue.path) })));
    warnings.push(...checked.warnings);
    for (const { path, aliases = [] } of KEY_LIST) {
      const value = valueAt(checked.document, path);
      if (value === undefined) continue;
      put(document, path, value);
      const old = aliases.find((name) => valueAt(source.document, name) !== undefined);
      places[path] = source.where(old ?? path);
    }
  }
  return { document: document as TransportConfig, issues, warnings, sources: places };
}

/** Most sources say nothing. */
function isEmpty({ document, issues }: SourceDocument): boolean {
  return issues.length === 0 && typeof document === "object" && document !== null &&
    !Array.isArray(document) && Object.keys(document).length === 0;
}

function placed(issues: readonly ConfigIssue[], where: Where): readonly ConfigIssue[] {
  return issues.map((issue) => {
    const source = where(issue.path) ?? where("tls.enabled");
    return source === undefined ? issue : { ...issue, source };
  });
}
