/**
 * The algebra of cumulative acknowledgements. It has no bytes on the wire; wire §5, L2.
 *
 * @module
 */

import { limit } from "./limits.ts";
import { TransportError } from "../errors.ts";

/** What happens when the 64-bit counter overflows. */
export type Rollover = "error" | "wrap";

/** How an {@linkcode AckWindow} is made. */
export interface AckWindowOptions {
  /** Most unacknowledged frames, 1 to 1024. @default {32} */
  frames?: number;
  /** What happens past 2^64 - 1 frames. @default {"error"} */
  rollover?: Rollover;
  /** Frames sent and acknowledged before, for a sender that goes on. @default {0n} */
  from?: bigint;
}

const MODULUS = 1n << 64n;

/**
 * How far a sender may run ahead of acknowledgements. Frames count from 1; `up_to` acknowledges all frames
 * up to it, must not go back, and must not pass what was sent.
 *
 * @example
 * ```ts
 * import { AckWindow } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const window = new AckWindow({ frames: 2 });
 * assert.equal(window.send(2), "ok");
 * assert.equal(window.send(), "blocked");
 * assert.equal(window.ack(1n), "ok");
 * assert.equal(window.send(), "ok");
 * assert.equal(window.ack(0n), "fault");
 * ```
 */
export class AckWindow {
  readonly #frames: bigint;
  readonly #rollover: Rollover;
  #sent: bigint;
  #acked: bigint;

  /**
   * Starts with everything acknowledged.
   *
   * @param options Window, rollover policy and start.
   * @throws {TransportError} `config_invalid` for a window outside 1 to 1024.
   */
  constructor(options: AckWindowOptions = {}) {
    this.#frames = BigInt(
      options.frames === undefined ? 32 : limit("frames", options.frames, 1, 1024),
    );
    this.#rollover = options.rollover ?? "error";
    this.#sent = this.#acked = options.from ?? 0n;
  }

  /** Number of the last frame sent. */
  get sent(): bigint {
    return this.#sent;
  }

  /** Number of the last frame acknowledged. */
  get acked(): bigint {
    return this.#acked;
  }

  /** Frames sent and not acknowledged. */
  get inflight(): number {
    return Number(BigInt.asUintN(64, this.#sent - this.#acked));
  }

  /** Frames that may be sent before the next acknowledgement. */
  get free(): number {
    return Number(this.#frames) - this.inflight;
  }

  /**
   * Counts frames as sent, all or none.
   *
   * @param n How many.
   * @returns `blocked` when they do not fit in the window; nothing has changed then.
   * @throws {TransportError} `misuse` when the counter overflows and the policy is `error`.
   */
  send(n: number = 1): "ok" | "blocked" {
    if (BigInt(this.inflight) + BigInt(n) > this.#frames) return "blocked";
    const sent = this.#sent + BigInt(n);
    if (sent >= MODULUS && this.#rollover === "error") {
      throw new TransportError(
        "misuse",
        "Cannot count past 2^64 - 1 frames: start a new stream, or use rollover: wrap",
        { op: "send" },
      );
    }
    this.#sent = BigInt.asUintN(64, sent);
    return "ok";
  }

  /**
   * Takes a cumulative acknowledgement.
   *
   * @param upTo Number of the last frame that arrived.
   * @returns `fault` when it goes back or passes what was sent; nothing has changed then.
   */
  ack(upTo: bigint | number): "ok" | "fault" {
    const to = BigInt(upTo);
    const ahead = to < 0n || to >= MODULUS ? MODULUS : BigInt.asUintN(64, to - this.#acked);
    if (ahead > BigInt(this.inflight)) return "fault";
    this.#acked = to;
    return "ok";
  }
}
