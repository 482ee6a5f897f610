/**
 * What was written and may still be on its way when its stream has ended.
 *
 * Tor tells of no arrival: a write is done when Arti has taken it, and an end follows in order, while both wait
 * for the circuit. They arrive as long as the client lives. Only the peer's own end tells that it has all it
 * wanted; where that has not come, a client that goes away in order waits for as long as the bytes need at the
 * pace that the stream had.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { heldOpen } from "../runtime/host_addon.ts";
import type { AddonStream } from "./addon.ts";

/** Most bytes of a stream that Arti and the circuit hold: a window of cells, and a queue. */
const MOST_HELD = 327_680;
/** For the way through the relays, and the longest wait for one stream, in milliseconds. */
const WAY_MS = 500;
const MOST_MS = 5_000;

/** See the module. */
export class Departures {
  readonly #clock: Clock;
  #until = -Infinity;

  /** @param clock Monotonic time. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches what goes over a stream. */
  watch(stream: AddonStream): AddonStream {
    const clock = this.#clock;
    let written = 0;
    let busyMs = 0;
    let peerEnded = false;
    return {
      circuit: stream.circuit,
      close: () => stream.close(),
      async read(into) {
        const n = await stream.read(into);
        if (n === 0) peerEnded = true;
        return n;
      },
      async write(bytes) {
        const start = clock.now();
        await stream.write(bytes);
        written += bytes.length;
        busyMs += clock.now() - start;
      },
      end: async () => {
        await stream.end();
        if (peerEnded || written === 0) return;
        const held = Math.min(written, MOST_HELD);
        const ms = Math.min(MOST_MS, WAY_MS + 2 * busyMs * held / written);
        this.#until = Math.max(this.#until, clock.now() + ms);
      },
    };
  }

  /**
   * Resolves when all that is known of has had its time.
   *
   * @param until When the wait is over in any case, by the clock.
   */
  async gone(until: number): Promise<void> {
    const ms = Math.min(this.#until, until) - this.#clock.now();
    if (ms <= 0) return;
    const { promise, resolve } = deferred<void>();
    this.#clock.after(ms, resolve);
    await heldOpen(promise);
  }
}
