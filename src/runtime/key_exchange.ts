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
  /** Whether a list can say which groups get a key share at once, and which are worth another round (OpenSSL 3.5). */
  readonly tuples: boolean;
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
  if (deno !== undefined) {
    return { restricts: false, hybrid: false, tuples: false, runtime: `Deno ${deno}` };
  }
  if (bun !== undefined) {
    return { restricts: true, hybrid: true, tuples: false, runtime: `Bun ${bun}` };
  }
  const [major = 0, minor = 0] = (openssl ?? "").split(".").map(Number);
  const hybrid = major > 3 || (major === 3 && minor >= 5);
  const runtime = `Node ${node ?? ""} (OpenSSL ${openssl ?? "none"})`;
  return { restricts: true, hybrid, tuples: hybrid, runtime };
}

/** The hybrid of X25519 and ML-KEM-768. */
export const HYBRID_GROUP = "X25519MLKEM768";

/** Groups without a post-quantum part, best first. */
export const CLASSICAL_GROUPS: readonly string[] = Object.freeze(["X25519", "P-256", "P-384"]);

/**
 * The groups as `ecdhCurve` takes them. Where a hybrid stands before others, key shares for it and for
 * the next go out at once, and a server that prefers it asks a client for it.
 */
export function groupList(
  groups: readonly string[],
  { tuples }: KeyExchange = keyExchange(),
): string {
  const [first = "", second, ...rest] = groups;
  if (!tuples || !isHybrid(first) || second === undefined) return groups.join(":");
  return [`*${first}/*${second}`, ...rest].join(":");
}

/** Whether a group has a post-quantum part. */
export function isHybrid(group: string): boolean {
  return group.includes("MLKEM");
}
