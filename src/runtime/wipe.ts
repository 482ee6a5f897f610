/**
 * Overwrites secrets that are no longer needed.
 *
 * @module
 */

/** Fills bytes with zeros. A string cannot be wiped: give keys as bytes where that matters. */
export function wipe(secret: string | Uint8Array): void {
  if (typeof secret !== "string") secret.fill(0);
}
