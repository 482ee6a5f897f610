/** UNIT-RL-01 and PROP-TB-01: a bucket is linear in time, has a ceiling, and never overspends. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TransportError } from "../../../src/errors.ts";
import { TokenBucket, tryConsumeAll } from "../../../src/limits/token_bucket.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;
const OPTIONS = { numRuns: 300, seed: SEED, verbose: true } as const;

const rate = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.integer({ min: 1, max: 1_000_000_000 }),
);

/** What happens to a bucket: time passes or goes back, and tokens are asked for. */
const steps = fc.array(
  fc.record({
    ms: fc.oneof(fc.nat(2_000), fc.integer({ min: -1_000, max: 0 })),
    share: fc.double({ min: 0, max: 1.5, noNaN: true }),
  }),
  { maxLength: 60 },
);

function misuse(run: () => unknown): void {
  assert.throws(run, (error) => TransportError.is(error) && error.kind === "misuse");
}

describe("token bucket", () => {
  it("starts full, with half a second's worth and at least one token", () => {
    assert.equal(new TokenBucket(1_000, 5).available(5), 500);
    assert.equal(new TokenBucket(1_000, 5).capacity, 500);
    assert.equal(new TokenBucket(1, 0).capacity, 1);
    assert.equal(new TokenBucket(2, 0).capacity, 1);
    assert.equal(new TokenBucket(3, 0).capacity, 1.5);
    assert.ok(new TokenBucket(3, 0).isFull(0));
  });

  it("refills in proportion to the time", () => {
    const bucket = new TokenBucket(1_000, 0);
    assert.ok(bucket.tryConsume(500, 0));
    assert.equal(bucket.isFull(0), false);
    assert.equal(bucket.available(1), 1);
    assert.equal(bucket.available(250), 250);
    assert.equal(bucket.isFull(499), false);
    assert.ok(bucket.isFull(500));
    assert.equal(bucket.available(1e9), 500);
  });

  it("takes all of what is asked, or nothing", () => {
    const bucket = new TokenBucket(100, 0);
    assert.equal(bucket.tryConsume(51, 0), false);
    assert.equal(bucket.available(0), 50);
    assert.ok(bucket.tryConsume(50, 0));
    assert.equal(bucket.available(0), 0);
    assert.ok(bucket.tryConsume(0, 0));
    assert.equal(bucket.tryConsume(1, 9), false);
    assert.ok(bucket.tryConsume(1, 10));
  });

  it("says how long to wait", () => {
    const bucket = new TokenBucket(100, 0);
    assert.equal(bucket.waitMs(50, 0), 0);
    bucket.tryConsume(50, 0);
    assert.equal(bucket.waitMs(10, 0), 100);
    assert.equal(bucket.waitMs(10, 40), 60);
    assert.equal(bucket.waitMs(10, 1_000), 0);
    const slow = new TokenBucket(2, 0);
    assert.ok(slow.tryConsume(1, 0));
    assert.equal(slow.waitMs(1, 0), 500);
    assert.ok(Math.abs(slow.waitMs(1, 400) - 100) < 1e-6); // a part of a token is missing
  });

  it("gives nothing for a clock that goes backwards, nor twice for the same time", () => {
    const bucket = new TokenBucket(100, 1_000);
    bucket.tryConsume(50, 1_000);
    assert.equal(bucket.available(1_100), 10);
    assert.equal(bucket.available(500), 10);
    assert.equal(bucket.available(1_100), 10);
    assert.equal(bucket.available(1_110), 11);
    assert.equal(bucket.available(NaN), 11);
    assert.equal(bucket.available(1_120), 12);
  });

  it("without a rate limits nothing", () => {
    const bucket = new TokenBucket(0, 0);
    assert.equal(bucket.limits, false);
    assert.equal(bucket.capacity, Infinity);
    assert.ok(bucket.isFull(0));
    assert.ok(bucket.tryConsume(1e15, 0));
    assert.ok(bucket.tryConsume(1e15, 10));
    assert.equal(bucket.waitMs(1e15, 10), 0);
  });

  it("changes its rate: clips to a smaller bucket, keeps what it has in a larger one", () => {
    const bucket = new TokenBucket(1_000, 0);
    bucket.setRate(100, 0);
    assert.equal(bucket.available(0), 50);
    assert.equal(bucket.rate, 100);
    bucket.tryConsume(40, 0);
    bucket.setRate(1_000, 100); // 10 left, 10 more at the old rate
    assert.equal(bucket.available(100), 20);
    assert.equal(bucket.available(110), 30);
    bucket.setRate(0, 110);
    assert.equal(bucket.limits, false);
    bucket.setRate(10, 200);
    assert.ok(bucket.limits);
    assert.equal(bucket.available(200), 5);
  });

  it("refuses rates, times and numbers that make no sense", () => {
    for (const bad of [-1, NaN, Infinity, -Infinity]) misuse(() => new TokenBucket(bad, 0));
    for (const bad of [NaN, Infinity]) misuse(() => new TokenBucket(1, bad));
    const bucket = new TokenBucket(100, 0);
    misuse(() => bucket.setRate(-1, 0));
    for (const bad of [-1, NaN]) misuse(() => bucket.tryConsume(bad, 0));
    assert.equal(bucket.tryConsume(Infinity, 0), false);
    assert.equal(bucket.available(0), 50);
  });

  it("I-12: never overspends: in any time, at most what it holds and what came (PROP-TB-01)", () => {
    fc.assert(
      fc.property(rate, steps, (bps, list) => {
        const bucket = new TokenBucket(bps, 0);
        let now = 0;
        let latest = 0;
        let taken = 0;
        for (const { ms, share } of list) {
          now += ms;
          latest = Math.max(latest, now);
          const n = share * bucket.capacity;
          const before = bucket.available(now);
          const took = bucket.tryConsume(n, now);
          assert.equal(took, n <= before);
          if (took) taken += n;
          const after = bucket.available(now);
          assert.ok(after >= 0 && after <= bucket.capacity, `${after} of ${bucket.capacity}`);
          assert.equal(after, took ? before - n : before);
          const most = bucket.capacity + latest * bps / 1_000;
          assert.ok(taken <= most * (1 + 1e-9), `${taken} taken, ${most} were ever there`);
        }
      }),
      OPTIONS,
    );
  });

  it("is monotone: later there is never less, and the wait it tells is enough", () => {
    fc.assert(
      fc.property(
        rate,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(5_000),
        (bps, spent, wanted, ms) => {
          const bucket = new TokenBucket(bps, 0);
          bucket.tryConsume(spent * bucket.capacity, 0);
          const before = bucket.available(0);
          const n = wanted * bucket.capacity;
          const wait = bucket.waitMs(n, 0);
          assert.ok(bucket.available(ms) >= before);
          const now = Math.max(ms, wait + 1e-6 * wait);
          assert.ok(bucket.tryConsume(n * (1 - 1e-9), now));
        },
      ),
      OPTIONS,
    );
  });

  it("takes from several all or nothing, and leaves each as it was otherwise", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 20 }),
        (rates, asked) => {
          const buckets = rates.map((bps) => new TokenBucket(bps, 0));
          for (const [i, n] of asked.entries()) {
            const now = i * 50;
            const before = buckets.map((bucket) => bucket.available(now));
            const took = tryConsumeAll(buckets, n, now);
            assert.equal(took, before.every((there) => there >= n));
            buckets.forEach((bucket, k) =>
              assert.equal(bucket.available(now), took ? before[k]! - n : before[k])
            );
          }
        },
      ),
      OPTIONS,
    );
    const [a, b] = [new TokenBucket(100, 0), new TokenBucket(10, 0)];
    assert.equal(tryConsumeAll([a, b], 6, 0), false);
    assert.deepEqual([a.available(0), b.available(0)], [50, 5]);
    assert.ok(tryConsumeAll([a, b], 5, 0));
    assert.deepEqual([a.available(0), b.available(0)], [45, 0]);
    assert.ok(tryConsumeAll([], 5, 0));
  });
});
