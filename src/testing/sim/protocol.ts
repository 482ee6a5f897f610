/**
 * What the simulated clients and the server say to each other.
 *
 * @module
 */

import { FLAGS, type Frame } from "../../oap/frame.ts";
import { fill } from "./pattern.ts";

/** Protocol ids. */
export const APPS = {
  /** Comes back at once. */
  echo: 7,
  /** Comes back after a while. */
  slow: 8,
  /** A stream, which is counted. */
  upload: 9,
  /** An event: nothing comes back. */
  event: 10,
  /** What hostile peers send: nobody looks at it. */
  junk: 11,
  /** A request that is never answered. */
  never: 12,
} as const;

/** A frame that tells its place among those of its connection. */
export function numbered(
  appProtoId: number,
  key: number,
  seq: number,
  bytes: number,
): Frame {
  const payload = new Uint8Array(8 + bytes);
  const view = new DataView(payload.buffer);
  view.setUint32(0, key);
  view.setUint32(4, seq);
  fill(payload.subarray(8), key, seq);
  const flags = (appProtoId === APPS.event ? FLAGS.EVENT : FLAGS.REQ) | FLAGS.START | FLAGS.END;
  return { flags, code: 0, appProtoId, tenantId: 0n, corrId: BigInt(seq), payload };
}

/** The place of a numbered frame. */
export function readHead(payload: Uint8Array): { key: number; seq: number } | undefined {
  if (payload.length < 8) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset);
  return { key: view.getUint32(0), seq: view.getUint32(4) };
}
