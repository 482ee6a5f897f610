/**
 * From the flags of `serve` to a configuration, TLS material and a place for streams.
 *
 * @module
 */

import { parseAddress } from "../address.ts";
import { FLAG_PREFIX } from "../config/key.ts";
import { KEYS } from "../config/keys.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "../config/load.ts";
import { parseSize } from "../config/units.ts";
import { TransportError } from "../errors.ts";
import { isDirectory, makeDirectory, readText, resolve, writeText } from "../runtime/host_files.ts";
import { FILE_FLAG } from "../config/sources.ts";
import { usageError } from "./args.ts";
import type { Parsed } from "./command.ts";
import { fileError } from "./file_errors.ts";
import { type MetricsPlace, metricsPlace } from "./serve_metrics.ts";
import { addTor } from "./tor.ts";
import { flagsGiven } from "./transport_flags.ts";

/** A certificate chain and its key, PEM. */
export interface Material {
  readonly cert: string;
  readonly key: string;
}

/** What `serve` was told. */
export interface ServeSetup {
  /** Where to listen; `undefined` leaves it to the configuration. */
  readonly address: string | undefined;
  readonly loaded: LoadedConfig;
  /** What it was loaded from, to be loaded again. */
  readonly sources: ConfigSources;
  /** Absent without TLS, and where the configuration names the files. */
  readonly material: Material | undefined;
  /** The throw-away certificate, where it is to be told on standard output. */
  readonly told: string | undefined;
  /** Where streams are stored; absent to echo. */
  readonly directory: string | undefined;
  /** Largest stream to store, in bytes. */
  readonly mostBytes: number;
  /** Where metrics are served; absent without. */
  readonly metrics: MetricsPlace | undefined;
}

/** Largest stream that is stored unless `--max-stream` says otherwise. */
const MOST_STREAM_BYTES = 64 * 1_024 ** 3;

/**
 * Reads what the flags name.
 *
 * @param parsed The command line.
 * @throws {TransportError} `config_invalid` or `misuse`, naming the flag, the file and the remedy.
 */
export async function serveSetup(parsed: Parsed): Promise<ServeSetup> {
  const address = parsed.value("addr");
  const metrics = parsed.value("metrics");
  const sources = sourcesOf(parsed, address);
  const loaded = await loadConfig(sources);
  const named = loaded.config.tls.cert_path !== "";
  const encrypted = loaded.config.tls.enabled;
  const material = encrypted && !named ? await materialOf(parsed) : undefined;
  if (material === undefined) refuseMaterial(parsed, encrypted);
  const certOut = parsed.value("throwaway-cert");
  if (material !== undefined && certOut !== undefined && certOut !== "-") {
    await writeCertificate(certOut, material.cert);
  }
  return {
    address,
    loaded,
    sources,
    material,
    told: certOut === "-" ? material?.cert : undefined,
    directory: await directoryOf(parsed),
    mostBytes: mostBytesOf(parsed),
    metrics: metrics === undefined ? undefined : metricsPlace(metrics),
  };
}

/** The flags, the environment and the file; an address that says tls says it for the configuration. */
function sourcesOf(parsed: Parsed, address: string | undefined): ConfigSources {
  const file = parsed.value("config") ?? parsed.value(FILE_FLAG);
  const flags = flagsGiven(parsed);
  addTor(flags, parsed, address, file !== undefined);
  const scheme = address === undefined ? undefined : parseAddress(address).transport;
  const [backend, tls] = [
    `${FLAG_PREFIX}${KEYS.backend.flag}`,
    `${FLAG_PREFIX}${KEYS["tls.enabled"].flag}`,
  ];
  if (scheme === "tls" || (scheme !== "tcp" && flags[tls] !== undefined)) {
    flags[backend] ??= "tls";
    flags[tls] = "true";
  }
  return { ...(file === undefined ? {} : { file }), flags, ownMaterial: true };
}

async function materialOf(parsed: Parsed): Promise<Material> {
  const [cert, key] = [parsed.value("cert"), parsed.value("key")];
  if (parsed.has("throwaway-cert")) {
    if (cert !== undefined || key !== undefined) {
      throw usageError("give --cert and --key, or --throwaway-cert, not both", "serve");
    }
    const { throwAwayCertificate } = await import("../testing/certificate.ts");
    return await throwAwayCertificate();
  }
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "--cert FILE" : "--key FILE";
    throw new TransportError(
      "config_invalid",
      `a tls listener needs a certificate and its key, and ${missing} is missing; ` +
        "give --cert FILE and --key FILE, or --throwaway-cert FILE for a try-out",
      { op: "config" },
    );
  }
  return { cert: await readPem("--cert", cert), key: await readPem("--key", key) };
}

function refuseMaterial(parsed: Parsed, encrypted: boolean): void {
  const flag = ["cert", "key", "throwaway-cert"].find((name) => parsed.has(name));
  if (flag === undefined) return;
  if (encrypted) {
    throw usageError(`give --${flag}, or tls.cert_path in the configuration, not both`, "serve");
  }
  throw usageError(`--${flag} is for TLS: use --addr tls://HOST:PORT`, "serve");
}

async function readPem(flag: string, path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (error) {
    throw fileError(`read ${flag}`, path, error, "name a readable PEM file", "config_invalid");
  }
}

async function writeCertificate(path: string, cert: string): Promise<void> {
  try {
    await writeText(path, cert);
  } catch (error) {
    throw fileError("write the certificate to", path, error, "name a file", "misuse");
  }
}

async function directoryOf(parsed: Parsed): Promise<string | undefined> {
  const given = parsed.value("dir");
  if (given === undefined) return undefined;
  if (parsed.has("echo")) throw usageError("give --echo or --dir, not both", "serve");
  const directory = resolve(given);
  try {
    if (!await isDirectory(directory)) await makeDirectory(directory);
  } catch (error) {
    throw fileError("make --dir", directory, error, "name another directory", "misuse");
  }
  return directory;
}

function mostBytesOf(parsed: Parsed): number {
  const text = parsed.value("max-stream");
  if (text === undefined) return MOST_STREAM_BYTES;
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw usageError(`--max-stream must be a size such as 64MiB, got "${text}"`, "serve");
}
