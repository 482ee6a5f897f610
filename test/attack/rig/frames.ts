/**
 * Bytes of frames, legal or not, without the library's encoder, which refuses to make some of them.
 *
 * @module
 */

import { APP } from "./protocol.ts";

/** Bits of the flags. */
export const REQ = 1;
/** See {@linkcode REQ}. */
export const EVENT = 4;
/** See {@linkcode REQ}. */
export const START = 8;
/** See {@linkcode REQ}. */
export const END = 16;
/** Bytes of a header. */
export const HEADER_BYTES = 38;

/** What a header says; a request of 38 bytes to the echo where it is not told. */
export interface Head {
  readonly length?: number;
  readonly flags?: number;
  readonly code?: number;
  readonly app?: number;
  readonly corrId?: bigint;
}

/** A header of 38 bytes. */
export function header(head: Head = {}): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(new DataView(bytes.buffer), 0, head);
  return bytes;
}

/** Writes a header at `at`. */
export function writeHeader(view: DataView, at: number, head: Head): void {
  view.setUint32(at, head.length ?? HEADER_BYTES);
  view.setUint16(at + 4, 1);
  view.setUint16(at + 6, head.flags ?? REQ);
  view.setUint16(at + 8, head.code ?? 0);
  view.setUint16(at + 10, head.app ?? APP.echo);
  view.setBigUint64(at + 30, head.corrId ?? 1n);
}

/** A whole frame. */
export function frame(head: Head, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(new DataView(bytes.buffer), 0, { ...head, length: bytes.length });
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
