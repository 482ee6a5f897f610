/**
 * Configuration from flags, environment variables and a file, with the source of every value, and
 * reloading when the file changes. The core takes a plain object; this entry makes one.
 *
 * @module
 */

export type {
  ConfigChange,
  ConfigIssue,
  ConfigSnapshot,
  ReloadResult,
  TransportConfig,
} from "./config.ts";
export { diffConfigs } from "./diff.ts";
export { ConfigError } from "./issues.ts";
export { configJsonSchema } from "./json_schema.ts";
export { type ConfigSources, loadConfig, type LoadedConfig, type MaterialHooks } from "./load.ts";
export { sampleToml } from "./sample.ts";
export { type ConfigWatch, type Reloadable, watchConfig, type WatchOptions } from "./watch.ts";
