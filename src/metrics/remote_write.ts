/**
 * Pushing metrics by Prometheus remote write, for processes that cannot be scraped.
 *
 * Scraping is the rule: it tells that a process is gone, and needs no queue. Pushing is for jobs that end
 * before a scrape comes, and for hosts that nobody can reach.
 *
 * @module
 */

import { type Clock, systemClock, type Timer } from "../clock.ts";
import { TransportError } from "../errors.ts";
import { FAMILIES } from "./families.ts";
import { type Metrics, seriesOf } from "./metrics.ts";
import { batches, post, type PostOptions, type TimeSeries } from "./remote_write_request.ts";

/** Options of {@linkcode remoteWrite}. */
export interface RemoteWriteOptions {
  /** Where the receiver is, such as `http://127.0.0.1:9090/api/v1/write`. */
  url: string;
  /** Labels of every series, such as `job` and `instance`. */
  labels?: Readonly<Record<string, string>>;
  /** Headers of every request, such as `authorization`. */
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds between two samples. @default {15000} */
  intervalMs?: number;
  /** Milliseconds that one request may take. @default {10000} */
  timeoutMs?: number;
  /** Requests that may wait; then the oldest are dropped, and counted. @default {64} */
  queue?: number;
  /** Sends a request. @default The runtime's `fetch`. */
  fetch?: typeof fetch;
  /** Time and timers. @default The runtime's. */
  clock?: Clock;
  /** Numbers from 0 to 1, for the jitter between attempts. @default {Math.random} */
  random?: () => number;
}

/** What a writer has counted. */
export interface RemoteWriteCounters {
  /** Requests that were taken. */
  sent: number;
  /** Attempts that failed and were made again. */
  retried: number;
  /** Requests dropped because the receiver refused them for good. */
  refused: number;
  /** Requests dropped because too many waited. */
  dropped: number;
}

/** Milliseconds before the second attempt; they double up to the longest. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** A process that ends while it pushes its last sample would lose it: these timers keep it alive. */
const LASTING: Clock = Object.freeze({
  now: () => performance.now(),
  after(ms: number, callback: () => void): Timer {
    const id = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(id) };
  },
});

/** Pushes until it is closed. */
export class RemoteWriter implements AsyncDisposable {
  /** What was counted. */
  readonly counters: RemoteWriteCounters = { sent: 0, retried: 0, refused: 0, dropped: 0 };
  readonly #metrics: Metrics;
  readonly #options: RemoteWriteOptions;
  readonly #clock: Clock;
  /** The same, but what it waits for is worth keeping the process alive. */
  readonly #lasting: Clock;
  readonly #waiting: TimeSeries[][] = [];
  readonly #closing: AbortController = new AbortController();
  #timer: Timer | undefined;
  #posting = false;
  #sending: Promise<void> | undefined;

  /** @internal Made by {@linkcode remoteWrite}. */
  constructor(metrics: Metrics, options: RemoteWriteOptions) {
    this.#metrics = metrics;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lasting = options.clock ?? LASTING;
    this.#arm();
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a sample now and sends what waits. Resolves when all is sent, refused or dropped. Never rejects. */
  async flush(): Promise<void> {
    this.#sample();
    await this.#send();
  }

  /**
   * Takes a last sample, sends what waits, and stops.
   *
   * @param ms How long that may take; what is left then is dropped, and counted. @default {5000}
   */
  async close(ms: number = 5_000): Promise<void> {
    if (this.#closing.signal.aborted) return await this.#sending;
    this.#timer?.cancel();
    const timer = this.#lasting.after(ms, () => this.#closing.abort());
    await this.flush();
    timer.cancel();
    this.#closing.abort();
  }

  /** Same as {@linkcode RemoteWriter.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#options.intervalMs ?? 15_000, () => {
      this.#arm();
      void this.flush();
    });
  }

  #sample(): void {
    const timestamp = Date.now();
    const { labels = {}, queue = 64 } = this.#options;
    const all = seriesOf(this.#metrics).map((series): TimeSeries => ({
      labels: { ...labels, ...series.labels, __name__: series.name },
      samples: [{ value: series.value, timestamp }],
    }));
    this.#waiting.push(...batches(all));
    // Not the one that is on its way, which may be taken yet.
    const first = this.#posting ? 1 : 0;
    while (this.#waiting.length - first > queue) {
      this.#waiting.splice(first, 1);
      this.counters.dropped++;
    }
  }

  /** One loop sends, in order. */
  #send(): Promise<void> {
    return this.#sending ??= this.#loop().finally(() => {
      this.#sending = undefined;
    });
  }

  async #loop(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; this.#waiting.length > 0;) {
      const batch = this.#waiting[0]!;
      this.#posting = true;
      const verdict = signal.aborted ? "gone" : await this.#post(batch);
      this.#posting = false;
      if (typeof verdict === "number" && !signal.aborted) {
        this.counters.retried++;
        await this.#pause(Math.max(verdict, this.#backoff(attempt++)));
        continue;
      }
      attempt = 0;
      this.#waiting.shift();
      if (verdict === "sent") this.counters.sent++;
      else if (verdict === "refused") this.counters.refused++;
      else this.counters.dropped++;
    }
  }

  #post(batch: readonly TimeSeries[]): Promise<"sent" | "refused" | number> {
    const { url, headers, timeoutMs = 10_000, fetch: send = fetch } = this.#options;
    const options: PostOptions = {
      url,
      headers: headers ?? {},
      timeoutMs,
      send,
      clock: this.#lasting,
      signal: this.#closing.signal,
    };
    return post(batch, options);
  }

  /** Half of the wait is fixed and half is chance, so that many writers do not come back at once. */
  #backoff(attempt: number): number {
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
    return most / 2 + (this.#options.random ?? Math.random)() * most / 2;
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#lasting.after(ms, done);
      signal.addEventListener("abort", done);
    });
  }
}

/**
 * Starts to push metrics.
 *
 * Requests carry at most 500 series. One that fails with 5xx, 429 or not at all is made again, after a
 * pause that doubles, or after what `Retry-After` says; one refused with another status is dropped.
 *
 * @param metrics What to push.
 * @param options Where to, and how.
 * @returns The writer; close it to send the last sample.
 * @throws {TransportError} `config_invalid` for a URL that is none, or a number below 1.
 *
 * @example
 * ```ts
 * import { createMetrics, remoteWrite } from "@ron/transport/metrics";
 * import assert from "node:assert/strict";
 *
 * const requests: Request[] = [];
 * const writer = remoteWrite(createMetrics(), {
 *   url: "http://127.0.0.1:9090/api/v1/write",
 *   labels: { job: "edge" },
 *   fetch: (url, init) => {
 *     requests.push(new Request(url as string, init));
 *     return Promise.resolve(new Response(null, { status: 204 }));
 *   },
 * });
 * await writer.close();
 * assert.equal(requests[0]?.headers.get("content-encoding"), "snappy");
 * ```
 */
export function remoteWrite(metrics: Metrics, options: RemoteWriteOptions): RemoteWriter {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw invalid("url", "must be an http or https URL", options.url);
  }
  for (const name of ["intervalMs", "timeoutMs", "queue"] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw invalid(name, "must be a whole number of at least 1", value);
    }
  }
  try {
    new Headers(options.headers);
  } catch (error) {
    throw invalid("headers", "must be HTTP headers", (error as Error).message);
  }
  for (const name of Object.keys(options.labels ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith("__")) {
      throw invalid(
        "labels",
        "must have names of letters, digits and _, not starting with __",
        name,
      );
    }
    if (FAMILIES.some(({ labels }) => name in labels)) {
      throw invalid("labels", "must not use a label of the metrics themselves", name);
    }
  }
  return new RemoteWriter(metrics, { ...options });
}

function invalid(name: string, rule: string, got: unknown): TransportError {
  const shown = String(got).slice(0, 64);
  return new TransportError("config_invalid", `remoteWrite: ${name} ${rule}, got ${shown}`, {
    op: "config",
  });
}
