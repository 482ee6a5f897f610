/**
 * Finding a peer that is gone without saying so.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { CorrIds } from "./corr_ids.ts";
import { FLAGS } from "./frame.ts";
import type { PingOptions } from "./framed_options.ts";
import type { FramedSink } from "./framed_sink.ts";
import { helloFrame } from "./hello.ts";
import { request } from "./request.ts";

/** How often it is looked in one interval: a ping goes out at most one such part late. */
const LOOKS = 4;
/** Most milliseconds of a timer. */
const MOST_MS = 2_147_483_647;

/** Asks a silent peer for a sign of life; one that gives none is given up. */
export class Ping {
  readonly #sink: FramedSink;
  readonly #options: PingOptions;
  readonly #ids: CorrIds;
  readonly #stop: AbortController = new AbortController();
  #timer: { cancel(): void } | undefined = undefined;
  #seen = 0;
  /** Looks in a row that found nothing. */
  #silent = 0;

  /**
   * Starts it.
   *
   * @param sink The connection.
   * @param options When to ask, and how long to wait.
   * @param ids Where ids of requests come from.
   * @throws {TransportError} `config_invalid` for a time that is none.
   */
  constructor(sink: FramedSink, options: PingOptions, ids: CorrIds) {
    for (const name of ["intervalMs", "timeoutMs"] as const) {
      const ms = options[name];
      if (Number.isInteger(ms) && ms > 0 && ms <= MOST_MS) continue;
      throw new TransportError(
        "config_invalid",
        `ping.${name} must be a whole number of 1 to ${MOST_MS} milliseconds, got ${ms}`,
        { op: "config" },
      );
    }
    this.#sink = sink;
    this.#options = options;
    this.#ids = ids;
    this.#seen = sink.receives;
    this.#arm();
  }

  /** Asks no more. */
  stop(): void {
    this.#timer?.cancel();
    this.#stop.abort();
  }

  #arm(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#sink.carrier.after(
      this.#options.intervalMs / LOOKS,
      () => void this.#look(),
    );
  }

  async #look(): Promise<void> {
    const sink = this.#sink;
    // Whatever came is a sign of life; and while nothing is read, as our consumer is behind, its silence is ours.
    this.#silent = sink.receives === this.#seen && !sink.paused ? this.#silent + 1 : 0;
    if (this.#silent === LOOKS) {
      this.#silent = 0;
      await this.#ask();
    }
    this.#seen = sink.receives;
    this.#arm();
  }

  async #ask(): Promise<void> {
    const sink = this.#sink;
    const { timeoutMs } = this.#options;
    const { signal } = this.#stop;
    const before = sink.receives;
    const frame = helloFrame(FLAGS.REQ, 0, { ua: null }, { corrId: this.#ids.next() });
    try {
      await request(sink, frame, { timeoutMs, signal });
    } catch (error) {
      if (signal.aborted || sink.receives !== before) return;
      // With no room for one more request, the others' deadlines are what finds the peer out.
      if (!TransportError.is(error) || error.kind !== "timeout") return;
      sink.carrier.fail(
        new TransportError(
          "timeout",
          `The peer gave no sign of life within ${timeoutMs} ms of a ping: it is gone, or does not answer HELLO`,
          { op: "request", origin: "remote" },
        ),
      );
    }
  }
}
