/**
 * An answer: a response that has the ids of its request.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { EMPTY, FLAGS, type Frame } from "./frame.ts";

/** What an answer has of its own; the protocol, the tenant and the id are those of the request. */
export interface Answer {
  /** Status, 16 bits; 400 and above say what went wrong. */
  readonly code: number;
  /** The payload. @default none */
  readonly payload?: Uint8Array;
  /** More bits of {@linkcode FLAGS}: `START` and `END`, where answers are streams. `RESP` is set. @default {0} */
  readonly flags?: number;
}

/** What is looked at of a request: a frame of a batch, or what was kept of one. */
export type Asked = Pick<Frame, "flags" | "appProtoId" | "tenantId" | "corrId">;

/**
 * The frame that answers a request.
 *
 * @throws {TransportError} `misuse` for a frame that is no request.
 */
export function answerTo(asked: Asked, { code, payload = EMPTY, flags = 0 }: Answer): Frame {
  if ((asked.flags & FLAGS.REQ) === 0) throw noRequest(asked.flags);
  const { appProtoId, tenantId, corrId } = asked;
  return { flags: FLAGS.RESP | flags, code, appProtoId, tenantId, corrId, payload };
}

/** The error of answering what does not ask. */
export function noRequest(flags: number): TransportError {
  return new TransportError(
    "misuse",
    `Cannot answer a frame with flags ${flags}: REQ is missing, so nobody waits for an answer`,
    { op: "write" },
  );
}
