/**
 * The files that a configuration consists of and names, checked before they are used.
 *
 * @module
 */

import type { ConfigIssue, ConfigSnapshot } from "./config.ts";
import {
  FileError,
  holdsCertificates,
  isWritable,
  materialFault,
  readSmall,
  type SmallFile,
} from "../runtime/host_config.ts";

/** Largest configuration file, in bytes. */
export const MOST_FILE_BYTES = 1_048_576;
/** Largest file of certificates or of a key, in bytes. */
const MOST_MATERIAL_BYTES = 1_048_576;
/** Days after which a token should be renewed. */
const MOST_TOKEN_DAYS = 30;

/** A certificate chain and its key, as bytes. */
export interface Material {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
}

/** What the files gave, or what is wrong with them. */
export interface ReadMaterial {
  readonly material?: Material;
  readonly issues: readonly ConfigIssue[];
}

/** Whether a configuration names server material. */
export function namesMaterial({ tls }: ConfigSnapshot): boolean {
  return tls.enabled && (tls.cert_path !== "" || tls.key_path !== "");
}

/**
 * Reads the certificate chain and the key that a configuration names.
 *
 * @param config A valid configuration with `tls.enabled`.
 */
export async function readMaterial({ tls }: ConfigSnapshot): Promise<ReadMaterial> {
  const cert = await materialFile("tls.cert_path", tls.cert_path);
  const key = await materialFile("tls.key_path", tls.key_path);
  const issues = [cert, key].flatMap((part) => "rule" in part ? [part] : []);
  if ("rule" in cert || "rule" in key) return { issues };
  issues.push(...looseMode("tls.key_path", key));
  const fault = materialFault(cert.bytes, key.bytes);
  if (fault !== undefined) issues.push(MATERIAL_FAULTS[fault]);
  if (issues.length > 0) return { issues };
  return { issues, material: { cert: cert.bytes, key: key.bytes } };
}

/** The roots that the file gave, or what is wrong with it. */
export interface ReadRoots {
  readonly roots?: Uint8Array;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
}

/**
 * Reads the trusted roots that a configuration names.
 *
 * @param config A valid configuration with `tls_client.ca_bundle_path`.
 */
export async function readRoots({ tls_client }: ConfigSnapshot): Promise<ReadRoots> {
  const path = "tls_client.ca_bundle_path";
  const file = await materialFile(path, tls_client.ca_bundle_path);
  if ("rule" in file) return { issues: [file], warnings: [] };
  if (!holdsCertificates(file.bytes)) {
    const rule = "must name certificates in PEM, each of which can be read";
    return { issues: [{ path, rule, got: "something else" }], warnings: [] };
  }
  const warnings = await isWritable(tls_client.ca_bundle_path)
    ? [`${path} names a file that this process could write to: mount it read-only`]
    : [];
  return { roots: file.bytes, issues: [], warnings };
}

/** What is wrong with a token's file, and what should not stay so. */
export interface CheckedToken {
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
}

/**
 * Checks the file of the token that a configuration names: its mode, that there is something in it, and
 * its age. What is in it is the host's: it is not kept, parsed or shown.
 *
 * @param config A valid configuration with `auth.macaroon_path`.
 * @param nowMs The time, in milliseconds since 1970.
 */
export async function checkToken({ auth }: ConfigSnapshot, nowMs: number): Promise<CheckedToken> {
  const path = "auth.macaroon_path";
  const file = await materialFile(path, auth.macaroon_path);
  if ("rule" in file) return { issues: [file], warnings: [] };
  file.bytes.fill(0);
  const days = Math.floor((nowMs - file.modifiedMs) / 86_400_000);
  const warnings = days > MOST_TOKEN_DAYS
    ? [
      `${path} names a token of ${days} days: renew it, it should be of at most ${MOST_TOKEN_DAYS}`,
    ]
    : [];
  return { issues: looseMode(path, file), warnings };
}

/**
 * The fault of a secret's file that others than its owner may read or write.
 *
 * @param path The key that names the file.
 * @param file As it was opened.
 */
export function looseMode(path: string, { mode }: SmallFile): ConfigIssue[] {
  if (mode === undefined || (mode & 0o077) === 0) return [];
  return [{
    path,
    rule: "must name a file that only its owner can read",
    got: `mode ${octal(mode)}`,
    limit: "mode 0600",
    instead: "run chmod 600 on it",
  }];
}

/**
 * Why a file is not read, in the words of a rule.
 *
 * @param error What reading it threw.
 */
export function fileRule(error: unknown): { rule: string; got: string } {
  if (!(error instanceof FileError)) return { rule: "must be readable", got: "an error" };
  const code = (error.cause as { code?: unknown } | undefined)?.code;
  switch (error.fault) {
    case "missing":
      return { rule: "must be there", got: "no such file" };
    case "not_a_file":
      return { rule: "must be a regular file", got: "something else" };
    case "too_large":
      return { rule: "must be of at most 1MiB", got: "a larger file" };
    case "system":
      return { rule: "must be readable", got: typeof code === "string" ? code : "an error" };
  }
}

const MATERIAL_FAULTS: Readonly<Record<"certificate" | "key" | "pair", ConfigIssue>> = Object
  .freeze({
    certificate: {
      path: "tls.cert_path",
      rule: "must name a certificate chain in PEM, leaf first",
      got: "something else",
      instead: "name a file that begins with -----BEGIN CERTIFICATE-----",
    },
    key: {
      path: "tls.key_path",
      rule: "must name an unencrypted private key in PEM",
      got: "something else",
      instead: "name a file that begins with -----BEGIN PRIVATE KEY-----",
    },
    pair: {
      path: "tls.key_path",
      rule: "must name the key of the certificate in tls.cert_path",
      got: "another key",
      instead: "name the two files of one pair",
    },
  });

/** Paths stay out of the faults: where keys lie is nobody's business. */
async function materialFile(path: string, file: string): Promise<SmallFile | ConfigIssue> {
  if (file === "") {
    return {
      path,
      rule: "must name a file when tls.enabled is true",
      got: "nothing",
      instead: "name a PEM file, or set tls.enabled = false",
    };
  }
  try {
    const read = await readSmall(file, MOST_MATERIAL_BYTES);
    if (read.bytes.length > 0) return read;
    return { path, rule: "must name a file that is not empty", got: "an empty file" };
  } catch (error) {
    const { rule, got } = fileRule(error);
    return {
      path,
      rule: `names a file that ${rule}`,
      got,
      instead: "name a file that can be read",
    };
  }
}

function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, "0")}`;
}
