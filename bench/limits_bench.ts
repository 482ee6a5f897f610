/**
 * What admission costs: a token from a bucket, and one from each of three or from none.
 *
 * @module
 */

import { TokenBucket, tryConsumeAll } from "../src/limits/token_bucket.ts";
import { bench } from "./harness.ts";

const RATE = 1_000_000;
const CALLS = 1_000;
let now = 0;

const one = new TokenBucket(RATE, 0);
bench({
  id: "bench_rate_limiter",
  group: "bench_rate_limiter",
  units: CALLS,
  run: () => {
    let taken = 0;
    for (let i = 0; i < CALLS; i++) if (one.tryConsume(1, now += 0.001)) taken++;
    return taken;
  },
});
const three = [new TokenBucket(RATE, 0), new TokenBucket(RATE, 0), new TokenBucket(RATE, 0)];
bench({
  id: "bench_rate_limiter_all_of_3",
  group: "bench_rate_limiter",
  units: CALLS,
  run: () => {
    let taken = 0;
    for (let i = 0; i < CALLS; i++) if (tryConsumeAll(three, 1, now += 0.001)) taken++;
    return taken;
  },
});
