/**
 * One request of Prometheus remote write, by `prometheus-remote-write`, with what that leaves out: the
 * headers of the protocol, sorted labels, and a timeout that works.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** One series with its samples. */
export interface TimeSeries {
  /** Its labels, `__name__` among them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Values, with milliseconds since 1970. */
  readonly samples: readonly { readonly value: number; readonly timestamp: number }[];
}

/** Most series of one request. */
const BATCH = 500;

/** Series in requests of at most 500, in their order. */
export function batches(series: readonly TimeSeries[]): TimeSeries[][] {
  const requests: TimeSeries[][] = [];
  for (let at = 0; at < series.length; at += BATCH) requests.push(series.slice(at, at + BATCH));
  return requests;
}

/** How a request is made. */
export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly send: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Sends series.
 *
 * @returns Whether they were taken, refused for good, or how many milliseconds to wait at least before
 * the next attempt. Never rejects.
 */
export async function post(
  series: readonly TimeSeries[],
  options: PostOptions,
): Promise<"sent" | "refused" | number> {
  const { url, headers, timeoutMs, send, clock, signal } = options;
  const given = new AbortController();
  const onAbort = (): void => given.abort();
  if (signal.aborted) return 0;
  signal.addEventListener("abort", onAbort);
  const timer = clock.after(timeoutMs, onAbort);
  let after: string | null = null;
  try {
    const { pushTimeseries } = await load();
    const { status } = await pushTimeseries(series.map(sorted), {
      url,
      headers: {
        ...headers,
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "User-Agent": "ron-transport",
      },
      fetch: async (url: string, init: RequestInit) => {
        const { method, headers, body } = init;
        const response = await send(url, {
          ...(method === undefined ? {} : { method }),
          ...(headers === undefined ? {} : { headers }),
          ...(body === undefined ? {} : { body }),
          redirect: "manual", // an answer like any other that is not 2xx: given up
          signal: given.signal,
        });
        after = response.headers.get("retry-after");
        return response;
      },
    });
    if (status >= 200 && status < 300) return "sent";
    if (status === 429 || status >= 500) return waitOf(after);
    return "refused";
  } catch {
    return 0; // no answer: away, or too slow
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

interface Push {
  pushTimeseries(
    series: readonly TimeSeries[],
    options: {
      url: string;
      headers: Record<string, string>;
      fetch: (url: string, init: RequestInit) => Promise<Response>;
    },
  ): Promise<{ status: number }>;
}

/** The package is loaded when something is pushed: it brings protobuf with it. */
async function load(): Promise<Push> {
  const module = await import("prometheus-remote-write") as unknown as Push & { default?: Push };
  return module.default ?? module;
}

/** Receivers want labels in the order of their names, and none without a value. */
function sorted({ labels, samples }: TimeSeries): TimeSeries {
  const entries = Object.entries(labels).filter(([, value]) => value !== "");
  entries.sort(([a], [b]) => a < b ? -1 : 1);
  return { labels: Object.fromEntries(entries), samples };
}

/** `Retry-After` in milliseconds, at most an hour: seconds, or a date. */
function waitOf(after: string | null): number {
  if (after === null) return 0;
  const ms = /^\d+$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - Date.now();
  return Number.isFinite(ms) ? Math.min(3_600_000, Math.max(0, ms)) : 0;
}
