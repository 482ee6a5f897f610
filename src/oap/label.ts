/**
 * The label that a frame counts under.
 *
 * @module
 */

import { FLAGS, type Frame } from "./frame.ts";

/** The values of the label `kind` of `oap_frames_total`. */
export type FrameLabel = "HELLO" | "START" | "DATA" | "ACK" | "END" | "ERROR";

/**
 * The label `kind` of `oap_frames_total`; wire §5. First match wins: protocol 0 is HELLO, a code from 400 on
 * ERROR, an empty response 200 to a frame with ACK_REQ an ACK, then START, then END; all else is DATA.
 *
 * @param frame A frame.
 * @param answersAckReq Whether it answers a frame with ACK_REQ, which only the caller knows. @default {false}
 * @returns The label.
 *
 * @example
 * ```ts
 * import { FLAGS, frameLabel } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const frame = { flags: FLAGS.RESP, code: 503, appProtoId: 7, tenantId: 0n, corrId: 1n, payload: new Uint8Array() };
 * assert.equal(frameLabel(frame), "ERROR");
 * ```
 */
export function frameLabel(
  frame: Pick<Frame, "flags" | "code" | "appProtoId" | "payload">,
  answersAckReq: boolean = false,
): FrameLabel {
  if (frame.appProtoId === 0) return "HELLO";
  if (frame.code >= 400) return "ERROR";
  if (
    answersAckReq && (frame.flags & FLAGS.RESP) !== 0 && frame.code === 200 &&
    frame.payload.length === 0
  ) return "ACK";
  if ((frame.flags & FLAGS.START) !== 0) return "START";
  return (frame.flags & FLAGS.END) !== 0 ? "END" : "DATA";
}
