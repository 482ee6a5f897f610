/** Remote write by a receiver that is a function, and a clock that is moved by hand. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Transport } from "../../mod.ts";
import {
  createMetrics,
  remoteWrite,
  type RemoteWriteOptions,
  type RemoteWriter,
} from "../../src/metrics/mod.ts";
import { batches, type TimeSeries } from "../../src/metrics/remote_write_request.ts";
import { ManualClock } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";

/** Waits for what needs no clock: promises, and the package that is loaded at the first request. */
async function until(met: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 2_000 && !met(); i++) await delay(2);
  assert.ok(met(), what);
}

/** A receiver that answers what it is told. */
class Receiver {
  readonly requests: { at: number; headers: Headers; bytes: number }[] = [];
  /** Answers one after the other; the last goes on. `undefined`: none, until the request is given up. */
  answers: (Response | Error | undefined)[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly fetch = ((_url: unknown, init: RequestInit = {}): Promise<Response> => {
    const bytes = (init.body as Uint8Array).length;
    this.requests.push({ at: this.#clock.now(), headers: new Headers(init.headers), bytes });
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer.clone());
    return new Promise((_resolve, reject) => {
      init.signal!.addEventListener("abort", () => reject(new Error("given up")), { once: true });
    });
  }) as typeof fetch;
}

interface Set {
  readonly clock: ManualClock;
  readonly receiver: Receiver;
  readonly writer: RemoteWriter;
}

const status = (code: number, headers: Record<string, string> = {}): Response =>
  new Response(code === 204 ? null : "why", { status: code, headers });

async function withWriter(
  options: Partial<RemoteWriteOptions>,
  body: (set: Set) => Promise<void>,
): Promise<void> {
  await using transport = new Transport();
  const clock = new ManualClock();
  const receiver = new Receiver(clock);
  receiver.answers = [status(204)];
  const writer = remoteWrite(createMetrics().watch(transport), {
    url: "http://127.0.0.1:9/api/v1/write",
    fetch: receiver.fetch,
    clock,
    random: () => 0.5,
    ...options,
  });
  try {
    await body({ clock, receiver, writer });
  } finally {
    const closing = writer.close(1);
    clock.advance(1);
    await closing;
    assert.equal(clock.pending, 0, "no timer is left");
  }
}

describe("remote write", () => {
  it("puts at most 500 series in a request", () => {
    const one: TimeSeries = { labels: { __name__: "up" }, samples: [{ value: 1, timestamp: 1 }] };
    const sizes = (n: number): number[] => batches(Array(n).fill(one)).map(({ length }) => length);
    assert.deepEqual(sizes(0), []);
    assert.deepEqual(sizes(500), [500]);
    assert.deepEqual(sizes(1_201), [500, 500, 201]);
  });

  it("samples at its interval, with the headers of the protocol", () =>
    withWriter({ intervalMs: 1_000, headers: { authorization: "Bearer x" } }, async (set) => {
      const { clock, receiver, writer } = set;
      clock.advance(999);
      assert.equal(receiver.requests.length, 0);
      clock.advance(1);
      await until(() => writer.counters.sent === 1, "one sample");
      clock.advance(1_000);
      await until(() => writer.counters.sent === 2, "another");
      const { headers } = receiver.requests[0]!;
      assert.equal(headers.get("content-encoding"), "snappy");
      assert.equal(headers.get("content-type"), "application/x-protobuf");
      assert.equal(headers.get("x-prometheus-remote-write-version"), "0.1.0");
      assert.equal(headers.get("user-agent"), "ron-transport");
      assert.equal(headers.get("authorization"), "Bearer x");
    }));

  it("tries again after 5xx and after no answer, with a pause that doubles and jitter", () =>
    withWriter({}, async ({ clock, receiver, writer }) => {
      receiver.answers = [status(503), new TypeError("away"), status(500), status(204)];
      const flushed = writer.flush();
      // Half of each pause is fixed, the other half times 0.5: 750, 1500, 3000.
      for (const [n, pause] of [[1, 750], [2, 1_500], [3, 3_000]] as const) {
        await until(() => writer.counters.retried === n, `attempt ${n} failed`);
        clock.advance(pause - 1);
        await delay(5);
        assert.equal(receiver.requests.length, n, "not before its time");
        clock.advance(1);
      }
      await flushed;
      assert.deepEqual(receiver.requests.map(({ at }) => at), [0, 750, 2_250, 5_250]);
      assert.deepEqual(writer.counters, { sent: 1, retried: 3, refused: 0, dropped: 0 });
    }));

  it("waits as long as Retry-After says, in seconds or as a date", () =>
    withWriter({ intervalMs: 3_600_000 }, async ({ clock, receiver, writer }) => {
      const date = new Date(Date.now() + 60_000).toUTCString();
      receiver.answers = [
        status(429, { "retry-after": "20" }),
        status(503, { "retry-after": date }),
        status(204),
      ];
      const flushed = writer.flush();
      await until(() => writer.counters.retried === 1, "429");
      clock.advance(19_999);
      await delay(5);
      assert.equal(receiver.requests.length, 1);
      clock.advance(1);
      await until(() => writer.counters.retried === 2, "503");
      clock.advance(55_000);
      await delay(5);
      assert.equal(receiver.requests.length, 2);
      clock.advance(5_000);
      await flushed;
      assert.equal(writer.counters.sent, 1);
    }));

  it("never tries again after another 4xx, nor after a redirect", () =>
    withWriter({}, async ({ receiver, writer }) => {
      for (const code of [400, 401, 404, 302]) {
        receiver.answers = [status(code)];
        await writer.flush();
      }
      assert.equal(receiver.requests.length, 4);
      assert.deepEqual(writer.counters, { sent: 0, retried: 0, refused: 4, dropped: 0 });
    }));

  it("gives up a request that gets no answer, by its own timeout", () =>
    withWriter({ timeoutMs: 2_000 }, async ({ clock, receiver, writer }) => {
      receiver.answers = [undefined, status(204)];
      const flushed = writer.flush();
      await until(() => receiver.requests.length === 1, "sent");
      clock.advance(1_999);
      await delay(5);
      assert.equal(writer.counters.retried, 0);
      clock.advance(1);
      await until(() => writer.counters.retried === 1, "given up");
      clock.advance(750);
      await flushed;
      assert.equal(writer.counters.sent, 1);
    }));

  it("keeps a bounded queue: the oldest are dropped, each counted once", () =>
    withWriter({ queue: 3, intervalMs: 1_000, timeoutMs: 3_600_000 }, async (set) => {
      const { clock, receiver, writer } = set;
      receiver.answers = [undefined];
      clock.advance(1_000);
      await until(() => receiver.requests.length === 1, "the first is on its way");
      for (let i = 0; i < 10; i++) clock.advance(1_000);
      assert.equal(writer.waiting, 4, "three, and the one on its way");
      assert.deepEqual(writer.counters, { sent: 0, retried: 0, refused: 0, dropped: 7 });
    }));

  it("sends a last sample when it closes, and what cannot be sent in time is counted", async () => {
    await withWriter({}, async ({ receiver, writer }) => {
      await writer.close();
      assert.equal(receiver.requests.length, 1);
      assert.equal(writer.counters.sent, 1);
      await writer.close(); // idempotent
      assert.equal(receiver.requests.length, 1);
    });
    await withWriter({}, async ({ clock, receiver, writer }) => {
      receiver.answers = [undefined];
      const closing = writer.close(500);
      await until(() => receiver.requests.length === 1, "sent");
      clock.advance(500);
      await closing;
      assert.deepEqual(writer.counters, { sent: 0, retried: 0, refused: 0, dropped: 1 });
    });
  });

  it("refuses what cannot work", () => {
    const metrics = createMetrics();
    const url = "http://127.0.0.1:9/";
    for (
      const options of [
        { url: "9090" },
        { url: "file:///x" },
        { url, intervalMs: 0 },
        { url, queue: 1.5 },
        { url, labels: { __name__: "x" } },
        { url, labels: { backend: "x" } },
        { url, headers: { "a b": "x" } },
      ]
    ) assert.throws(() => remoteWrite(metrics, options), { kind: "config_invalid" });
  });
});
