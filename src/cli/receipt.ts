/**
 * What a receiver answers to a stream: how much it stored, and the digest of it.
 *
 * @module
 */

/** The answer to a stored stream. */
export interface Receipt {
  /** Bytes stored. */
  readonly bytes: number;
  /** SHA-256 of them, in lowercase hex. */
  readonly sha256: string;
}

/** The largest answer that is looked at. */
const MOST_BYTES = 4_096;

/** A receipt as the payload of a frame. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(receipt));
}

/**
 * Reads a receipt out of a payload.
 *
 * @returns `undefined` when the payload is none.
 */
export function decodeReceipt(payload: Uint8Array): Receipt | undefined {
  if (payload.byteLength > MOST_BYTES) return undefined;
  try {
    const data: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    if (typeof data !== "object" || data === null) return undefined;
    const { bytes, sha256 } = data as Record<string, unknown>;
    if (!Number.isSafeInteger(bytes) || typeof sha256 !== "string") return undefined;
    return /^[0-9a-f]{64}$/.test(sha256) ? { bytes: bytes as number, sha256 } : undefined;
  } catch {
    return undefined;
  }
}
