/**
 * What `send --json` prints.
 *
 * @module
 */

import type { Receipt } from "./receipt.ts";

/** One transfer as the sender saw it. */
export interface SendReport {
  readonly file: string;
  readonly address: string;
  readonly pid: number;
  readonly runtime: string;
  /** The runtime's. */
  readonly version: string;
  readonly bytes: number;
  readonly frames: number;
  readonly compressedFrames: number;
  /** Bytes of all frames as they went out, before TLS. */
  readonly wireBytes: number;
  /** From the first byte read until the receiver confirmed. */
  readonly seconds: number;
  readonly mibPerSecond: number;
  /** From the dial until the connection was usable. */
  readonly handshakeMs?: number;
  /** Version of TLS; `null` without. */
  readonly tls: string | null;
  /** Of what was read here. */
  readonly sha256: string;
  /** What the receiver says it stored. */
  readonly receiver: Receipt;
  /** Whether both agree. */
  readonly intact: boolean;
}
