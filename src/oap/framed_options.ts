/**
 * What callers of a framed connection can choose.
 *
 * @module
 */

import type { CorrIds } from "./corr_ids.ts";

/** How a connection is framed. Limits can only be lowered. */
export interface FramedOptions {
  /** Largest frame in both directions, in bytes. @default what the connection's configuration allows */
  maxFrameBytes?: number;
  /** Most unanswered requests in each direction. @default {64} */
  maxInflight?: number;
  /** `false`: this end has no codec, says so in HELLO, and refuses compressed frames. @default {true} */
  inflate?: boolean;
  /**
   * Compresses a chunk of a stream to one zstd frame, or returns `undefined` to send it as it is. Only used
   * by `sendStream`, and only where the result may be sent. @default none: streams are sent plain
   */
  compress?: (chunk: Uint8Array) => Uint8Array | undefined;
  /** What HELLO replies name as ways to reach this end. @default {["tcp+tls"]} */
  transports?: readonly string[];
  /**
   * Hands the payload of a frame above 16 KiB on as it arrives, in parts, instead of putting the frame
   * together: see `FrameView.offset`, `last` and `whole()`. Answers to requests still come whole.
   *
   * @default {false}
   */
  fragments?: boolean;
  /** Milliseconds until a request without an answer fails. @default {30000} */
  requestTimeoutMs?: number;
  /** Finds a peer that is gone without saying so, by a HELLO request. @default none: only deadlines do */
  ping?: PingOptions;
  /** Where ids of HELLO and pings come from. @default {corrIds()} */
  corrIds?: CorrIds;
  /** Lends copies to `onBatch` and spoils them afterwards, so that a test sees who kept one. @default {false} */
  checkBorrows?: boolean;
}

/**
 * When a silent peer is asked for a sign of life. A connection with pings is never idle. While frames wait for
 * a slow consumer nothing is read, and nobody is asked.
 */
export interface PingOptions {
  /** After how many milliseconds without a byte from it; it may be a quarter more. */
  intervalMs: number;
  /** How many milliseconds it has to answer; then the connection is broken off with `timeout`. */
  timeoutMs: number;
}

/** How a wait is given up. */
export interface SendOptions {
  /** Gives up waiting for room; what is queued already is sent. */
  signal?: AbortSignal;
}

/** How a request is made. */
export interface RequestOptions {
  /** Gives up waiting; the answer is dropped when it comes. */
  signal?: AbortSignal;
  /** Milliseconds until it fails with `timeout`. @default {30000} */
  timeoutMs?: number;
}
