/**
 * SHA-256 by the runtime itself, where it has one that can be had quickly.
 *
 * @module
 */

interface Globals {
  readonly Bun?: { readonly SHA256?: { hash(bytes: Uint8Array, encoding: "hex"): string } };
  readonly Deno?: unknown;
  readonly process?: {
    getBuiltinModule?(name: "node:crypto"): typeof import("node:crypto") | undefined;
  };
}

/**
 * The digest of some bytes, or `undefined` where the runtime has none that does not wait. Deno has
 * `node:crypto`, but loading it takes longer than `sha256.ts` takes for the module; see
 * {@linkcode digestAhead}.
 *
 * @param bytes What to digest.
 * @returns 64 lowercase hex digits.
 */
export function nativeSha256(bytes: Uint8Array): string | undefined {
  const { Bun, process } = globalThis as Globals;
  if (!hasNativeSha256()) return undefined;
  if (Bun !== undefined) return Bun.SHA256?.hash(bytes, "hex");
  const crypto = process?.getBuiltinModule?.("node:crypto");
  return crypto?.createHash("sha256").update(bytes).digest("hex");
}

/** Whether {@linkcode nativeSha256} has something; asking loads nothing. */
export function hasNativeSha256(): boolean {
  const { Bun, Deno, process } = globalThis as Globals;
  if (Bun !== undefined) return Bun.SHA256 !== undefined;
  return Deno === undefined && process?.getBuiltinModule !== undefined; // Node 20.16 and later
}

/**
 * Begins to digest bytes on a thread of the runtime's.
 *
 * @param bytes What to digest; they may change as soon as this returns.
 * @param done Takes 64 lowercase hex digits, some turns later; not called where the runtime cannot.
 */
export function digestAhead(bytes: Uint8Array<ArrayBuffer>, done: (digest: string) => void): void {
  crypto.subtle.digest("SHA-256", bytes).then(
    (digest) => done(hex(new Uint8Array(digest))),
    () => {}, // no WebCrypto here: whoever needs the digest finds it out by itself
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
