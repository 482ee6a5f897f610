/**
 * Which deadline runs when, for one connection. Source: runtime §5.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { DRAIN_MS } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { type DeadlineOwner, Deadlines } from "./deadlines.ts";
import type { SinkReport } from "./sink.ts";

/** See the module. Every rule reads the configuration as it is then. */
export class LinkClocks {
  readonly #clock: Clock;
  readonly #config: () => ConfigSnapshot;
  readonly #deadlines: Deadlines;
  /** What is left of the frame's time while our own rates keep its bytes back. */
  #frameLeft: number | undefined;
  #paced = false;
  /** Whether reading is paused for our own consumer, or for memory. */
  #behind = false;
  /** Whether our own rates keep back what is to be sent. */
  #unpaid = false;
  /** Whether the idle clock would run but for that. */
  #idles = false;

  /** @param clock Monotonic time. @param config The limits now. @param owner Told of the one that passed. */
  constructor(
    clock: Clock,
    config: () => ConfigSnapshot,
    owner: DeadlineOwner,
  ) {
    this.#clock = clock;
    this.#config = config;
    this.#deadlines = new Deadlines(clock, owner);
  }

  /** It opens. */
  opening(ms: number): void {
    this.#deadlines.set("handshake", this.#clock.now() + ms);
  }

  /** It is usable. */
  open(): void {
    this.#deadlines.clear("handshake");
    this.#idle();
  }

  /** A caller waits for raw bytes, or no longer does. */
  waiting(on: boolean): void {
    if (on && !this.#paced) {
      this.#deadlines.set("read", this.#clock.now() + this.#config().read_timeout);
    } else this.#deadlines.clear("read");
  }

  /** The sink has said what it keeps and what is owed. */
  received(report: SinkReport): void {
    const deadlines = this.#deadlines;
    const now = this.#clock.now();
    this.#behind = report.pause;
    if (report.pause) {
      // Our own consumer is behind: no clock runs against the peer. One that waits for memory is in
      // the middle of a frame, and that has its time.
      deadlines.clear("read");
      this.#busy();
      if (!report.waits) {
        deadlines.clear("frame");
        this.#frameLeft = undefined;
      } else if (report.completed > 0 || !deadlines.has("frame")) this.#frame(now);
      return;
    }
    if (report.owed === 0) {
      deadlines.clear("read");
      deadlines.clear("frame");
      this.#frameLeft = undefined;
      this.#idle(now);
      return;
    }
    this.#busy();
    if (this.#paced) {
      if (report.completed > 0 || this.#frameLeft === undefined) {
        this.#frameLeft = this.#config().idle_timeout;
      }
      return;
    }
    deadlines.set("read", now + this.#config().read_timeout);
    // From the frame's first byte, and moved by nothing: a drip cannot stretch it.
    if (report.completed > 0 || !deadlines.has("frame")) this.#frame(now);
  }

  /** Our rates keep received bytes back, or no longer do: the peer's time stands still meanwhile. */
  paced(on: boolean): void {
    const deadlines = this.#deadlines;
    const now = this.#clock.now();
    this.#paced = on;
    if (on) {
      if (deadlines.has("frame")) this.#frameLeft = Math.max(0, deadlines.at("frame") - now);
      deadlines.clear("read");
      deadlines.clear("frame");
      this.#busy();
      return;
    }
    const left = this.#frameLeft;
    this.#frameLeft = undefined;
    if (left !== undefined) deadlines.set("frame", now + left);
    if (this.#behind) return; // the others follow when it is not any more
    if (left === undefined) return this.#idle();
    deadlines.set("read", now + this.#config().read_timeout);
  }

  /** Reading goes on after a pause, in the middle of a frame where bytes are owed. */
  resumed(owed: number): void {
    this.#behind = false;
    if (this.#paced) {
      if (owed > 0) this.#frameLeft ??= this.#config().idle_timeout;
      return;
    }
    if (owed === 0) return this.#idle();
    const now = this.#clock.now();
    this.#deadlines.set("read", now + this.#config().read_timeout);
    if (!this.#deadlines.has("frame")) this.#frame(now);
  }

  /** The peer will send no more. */
  ended(): void {
    this.#deadlines.clear("read");
    this.#deadlines.clear("frame");
  }

  /** A socket write waits for the peer, or no longer does. */
  writing(on: boolean): void {
    if (on) this.#deadlines.set("write", this.#clock.now() + this.#config().write_timeout);
    else this.#deadlines.clear("write");
  }

  /** Our rates keep back what is to be sent, or no longer do: a connection with something to send is not idle. */
  unpaid(on: boolean): void {
    this.#unpaid = on;
    if (on) this.#deadlines.clear("idle");
    else if (this.#idles) this.#idle();
  }

  /** The peer took bytes of ours. */
  progress(): void {
    const deadlines = this.#deadlines;
    const writes = deadlines.has("write");
    const idles = deadlines.has("idle");
    if (!writes && !idles) return;
    const now = this.#clock.now(); // once: a clock costs more than all else here
    const { write_timeout, idle_timeout } = this.#config();
    if (writes) deadlines.set("write", now + write_timeout);
    if (idles) deadlines.set("idle", now + idle_timeout);
  }

  /** It ends in order: only the end is waited for. */
  draining(): void {
    this.ended();
    this.#busy();
    this.#deadlines.set("drain", this.#clock.now() + DRAIN_MS);
  }

  /** It is over. */
  close(): void {
    this.#deadlines.close();
  }

  #idle(now: number = this.#clock.now()): void {
    this.#idles = true;
    if (this.#unpaid) return;
    this.#deadlines.set("idle", now + this.#config().idle_timeout);
  }

  /** It is in the middle of something. */
  #busy(): void {
    this.#idles = false;
    this.#deadlines.clear("idle");
  }

  #frame(now: number): void {
    this.#deadlines.set("frame", now + this.#config().idle_timeout);
  }
}
