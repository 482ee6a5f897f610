/**
 * What a client is started with, from the configuration.
 *
 * @module
 */

import type { ConfigSnapshot } from "../config/config.ts";
import { TransportError } from "../errors.ts";
import { FileError, privateDirectoryFault, readSmall } from "../runtime/host_config.ts";
import { makeDirectory } from "../runtime/host_files.ts";
import type { AddonOptions } from "./addon.ts";

/** Largest file of Arti's own configuration, in bytes. */
const MOST_CONFIG_BYTES = 1_048_576;

/** Where Linux has memory as a file system. */
const MEMORY = "/dev/shm";

/**
 * Reads what the configuration names, and checks it.
 *
 * @throws {TransportError} `config_invalid`, naming the key and the remedy.
 */
export async function addonOptions({ amnesia, arti }: ConfigSnapshot): Promise<AddonOptions> {
  const config = arti.config_path === "" ? undefined : await readConfig(arti.config_path);
  const place = amnesia.enabled
    ? { memoryDir: arti.state_path === "" ? MEMORY : arti.state_path }
    : { stateDir: await privateDirectory(arti.state_path) };
  return { ...place, ...(config === undefined ? {} : { config }) };
}

async function readConfig(path: string): Promise<string> {
  try {
    const { bytes } = await readSmall(path, MOST_CONFIG_BYTES);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const why = cause instanceof FileError ? cause.fault.replaceAll("_", " ") : "not UTF-8";
    throw invalid(`arti.config_path must name a TOML file of at most 1MiB, got ${why}`, cause);
  }
}

/** One that is not there is made, for its owner alone. */
async function privateDirectory(path: string): Promise<string> {
  try {
    await makeDirectory(path);
  } catch (cause) {
    throw invalid(
      "arti.state_path cannot be made: name a directory that this user can write",
      cause,
    );
  }
  const fault = await privateDirectoryFault(path);
  if (fault !== undefined) throw invalid(`arti.state_path: ${fault}`);
  return path;
}

function invalid(what: string, cause?: unknown): TransportError {
  return new TransportError("config_invalid", what, {
    op: "config",
    ...(cause === undefined ? {} : { cause }),
  });
}
