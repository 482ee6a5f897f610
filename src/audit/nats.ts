/**
 * Audit events in a NATS JetStream stream.
 *
 * The connection is the host's: this file knows only how one publishes on it, so it pulls in no
 * package and works with any client that has JetStream.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { TransportError } from "../errors.ts";
import type { AuditEvent } from "./events.ts";
import type { AuditHook } from "./trail.ts";

/** What is used of a JetStream client; `jetstream(connection)` of `@nats-io/jetstream` is one. */
export interface JetStreamPublisher {
  /** Publishes, and resolves once the stream has stored it. */
  publish(
    subject: string,
    payload: Uint8Array,
    options: { msgID: string; timeout: number },
  ): Promise<unknown>;
}

/** Options of {@linkcode natsAudit}. */
export interface NatsAuditOptions {
  /** Where to publish; a stream must take it. @default {"ron.transport.audit"} */
  subject?: string;
  /** Most events that wait while the server is away: 1 to 1024. @default {1024} */
  buffer?: number;
  /** How long one publish may take, in milliseconds. @default {2000} */
  timeoutMs?: number;
  /** Longest pause between attempts, in milliseconds; the first is 100. @default {5000} */
  retryMs?: number;
  /** Monotonic time. @default The runtime's. */
  clock?: Clock;
}

/** What became of the events. */
export interface NatsAuditCounters {
  /** Stored by the stream. */
  readonly stored: number;
  /** Waiting now. */
  readonly waiting: number;
  /** Dropped, the oldest first, because the buffer was full while the server was away. */
  readonly dropped: number;
  /** Attempts that failed; each is made again. */
  readonly failures: number;
}

/** A sink; see {@linkcode natsAudit}. */
export interface NatsAudit {
  /** The hook, for `new Transport(config, { onAudit })`. It returns at once. */
  readonly hook: AuditHook;
  /** What became of the events so far. */
  counters(): NatsAuditCounters;
  /** Waits until all that waits now is stored, at most `ms`. Returns whether it is. */
  flush(ms: number): Promise<boolean>;
  /** Gives up what waits. The connection stays the host's. */
  close(): void;
}

/**
 * Publishes each event to a stream, in order: the next only when the stream has stored the one before.
 *
 * While the server is away, events wait, at most `buffer` of them; then the oldest are dropped and
 * counted. Each is published again until it is stored, under an id by which the stream knows it: an
 * answer that was lost makes no duplicate within the stream's window.
 *
 * @param publisher A JetStream client on a connection that reconnects by itself.
 * @param options Subject and bounds.
 * @throws {TransportError} `config_invalid` for a bound out of range.
 */
export function natsAudit(
  publisher: JetStreamPublisher,
  options: NatsAuditOptions = {},
): NatsAudit {
  const sink = new Sink(publisher, options);
  return {
    hook: (event) => sink.add(event),
    counters: () => sink.counters(),
    flush: (ms) => sink.flush(ms),
    close: () => sink.close(),
  };
}

interface Waiting {
  readonly event: AuditEvent;
  readonly id: string;
}

const FIRST_PAUSE_MS = 100;
const ENCODER = new TextEncoder();

class Sink {
  readonly #publisher: JetStreamPublisher;
  readonly #subject: string;
  readonly #most: number;
  readonly #timeoutMs: number;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #run: string = crypto.randomUUID();
  readonly #waiting: Waiting[] = [];
  readonly #idle = new Set<() => void>();
  #made = 0;
  #stored = 0;
  #dropped = 0;
  #failures = 0;
  #publishing = false;
  #closed = false;
  #pause: { readonly timer: Timer; readonly over: () => void } | undefined;

  constructor(publisher: JetStreamPublisher, options: NatsAuditOptions) {
    const { subject = "ron.transport.audit", clock = systemClock } = options;
    this.#publisher = publisher;
    this.#subject = subject;
    this.#clock = clock;
    this.#most = bounded("buffer", options.buffer ?? CAPS.events, CAPS.events);
    this.#timeoutMs = bounded("timeoutMs", options.timeoutMs ?? 2_000, 60_000);
    this.#retryMs = bounded("retryMs", options.retryMs ?? 5_000, 60_000);
  }

  add(event: AuditEvent): void {
    if (this.#closed) {
      this.#dropped++;
      return;
    }
    if (this.#waiting.length === this.#most) {
      // The first may be on its way: then it is the one behind it that goes.
      this.#waiting.splice(this.#publishing && this.#most > 1 ? 1 : 0, 1);
      this.#dropped++;
    }
    this.#waiting.push({ event, id: `${this.#run}-${++this.#made}` });
    if (!this.#publishing) void this.#publishAll();
  }

  counters(): NatsAuditCounters {
    return {
      stored: this.#stored,
      waiting: this.#waiting.length,
      dropped: this.#dropped,
      failures: this.#failures,
    };
  }

  flush(ms: number): Promise<boolean> {
    if (this.#waiting.length === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#idle.delete(done);
        resolve(this.#waiting.length === 0);
      };
      const timer = this.#clock.after(ms, done);
      this.#idle.add(done);
    });
  }

  close(): void {
    this.#closed = true;
    this.#dropped += this.#waiting.length;
    this.#waiting.length = 0;
    this.#pause?.timer.cancel();
    this.#pause?.over();
  }

  /** Until nothing waits. Cannot reject. */
  async #publishAll(): Promise<void> {
    this.#publishing = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (await this.#publish(first)) {
        pauseMs = FIRST_PAUSE_MS;
        if (this.#waiting[0] === first) this.#waiting.shift();
      } else if (!this.#closed) {
        await this.#wait(Math.min(pauseMs, this.#retryMs));
        pauseMs *= 2;
      }
    }
    this.#publishing = false;
    for (const done of [...this.#idle]) done();
  }

  async #publish({ event, id }: Waiting): Promise<boolean> {
    const payload = ENCODER.encode(JSON.stringify(event));
    try {
      const options = { msgID: id, timeout: this.#timeoutMs };
      await this.#publisher.publish(this.#subject, payload, options);
      this.#stored++;
      return true;
    } catch {
      this.#failures++;
      return false;
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#clock.after(ms, over), over };
    });
  }
}

function bounded(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new TransportError("config_invalid", `${name} must be 1 to ${most}, got ${value}`, {
    op: "audit",
  });
}
