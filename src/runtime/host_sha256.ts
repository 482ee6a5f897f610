/**
 * SHA-256 by the runtime itself, where it has one that neither waits nor has to be imported first.
 *
 * `node:crypto` is not used: importing it takes longer than the digest of the module by `sha256.ts`.
 *
 * @module
 */

interface WithSha256 {
  readonly Bun?: { readonly SHA256?: { hash(bytes: Uint8Array, encoding: "hex"): string } };
}

/**
 * The digest of some bytes, or `undefined` where the runtime has no quick way.
 *
 * @param bytes What to digest.
 * @returns 64 lowercase hex digits.
 */
export function nativeSha256(bytes: Uint8Array): string | undefined {
  return (globalThis as WithSha256).Bun?.SHA256?.hash(bytes, "hex");
}
