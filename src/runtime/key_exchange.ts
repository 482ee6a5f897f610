/**
 * What this runtime can be told about key exchange in TLS.
 *
 * @module
 */

/** See the module. */
export interface KeyExchange {
  /** Whether a list of groups is obeyed, so that others are neither offered nor accepted. */
  readonly restricts: boolean;
  /** Whether X25519MLKEM768 can be offered first. */
  readonly hybrid: boolean;
  /** The runtime and its version, for messages. */
  readonly runtime: string;
}

interface Versions {
  readonly deno?: string;
  readonly bun?: string;
  readonly node?: string;
  readonly openssl?: string;
}

/** Tells from the versions of this process; no module is loaded for it. */
export function keyExchange(
  versions: Versions = (globalThis as { process?: { versions: Versions } }).process?.versions ?? {},
): KeyExchange {
  const { deno, bun, node, openssl } = versions;
  // Deno takes `ecdhCurve` and ignores it, on both sides (2.9.5).
  if (deno !== undefined) return { restricts: false, hybrid: false, runtime: `Deno ${deno}` };
  if (bun !== undefined) return { restricts: true, hybrid: true, runtime: `Bun ${bun}` };
  const [major = 0, minor = 0] = (openssl ?? "").split(".").map(Number);
  const hybrid = major > 3 || (major === 3 && minor >= 5);
  return { restricts: true, hybrid, runtime: `Node ${node ?? ""} (OpenSSL ${openssl ?? "none"})` };
}

/** The hybrid of X25519 and ML-KEM-768. */
export const HYBRID_GROUP = "X25519MLKEM768";

/** Groups without a post-quantum part, best first. */
export const CLASSICAL_GROUPS: readonly string[] = Object.freeze(["X25519", "P-256", "P-384"]);

/** Whether a group has a post-quantum part. */
export function isHybrid(group: string): boolean {
  return group.includes("MLKEM");
}
