/**
 * What a framed connection has counted.
 *
 * @module
 */

/** Plain numbers since the connection was framed. */
export interface FramedCounters {
  /** Frames decoded, HELLO and answers included. */
  framesIn: number;
  /** Frames queued for sending. */
  framesOut: number;
  /** Bytes of decoded frames; of inflated ones, their inflated size. */
  bytesIn: number;
  /** Of these, bytes of payloads. */
  payloadIn: number;
  /** Bytes of frames queued for sending. */
  bytesOut: number;
  /** Decoded frames by label, as {@linkcode frameLabel} has it; an ACK counts as DATA or END. */
  hello: number;
  /** See `hello`. */
  start: number;
  /** See `hello`. */
  data: number;
  /** See `hello`. */
  end: number;
  /** See `hello`. */
  error: number;
  /** Answers to requests that had been given up; dropped. */
  lateAnswers: number;
  /** Requests of this end refused with `busy`, as 64 others were unanswered. */
  busy: number;
  /** Requests of the peer answered 429 because too many were unanswered, or 503 because this end drains. */
  refused: number;
  /** Frames dropped because they belong to a refused request, or because 256 others were in line for the inbox before its 429 or 503. */
  dropped: number;
  /** Times reading paused because nobody took the frames. */
  pauses: number;
  /** Decode faults by reject reason; at most one, because it ends the connection. */
  readonly rejects: Record<string, number>;
}

/** All zero. */
export function framedCounters(): FramedCounters {
  return {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    payloadIn: 0,
    bytesOut: 0,
    hello: 0,
    start: 0,
    data: 0,
    end: 0,
    error: 0,
    lateAnswers: 0,
    busy: 0,
    refused: 0,
    dropped: 0,
    pauses: 0,
    rejects: {},
  };
}
