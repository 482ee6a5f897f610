/**
 * What admission costs: a token from a bucket, one from each of three or from none, and a whole
 * connection let in and gone again.
 *
 * @module
 */

import { parseConfig } from "../src/config/schema.ts";
import { Admission } from "../src/limits/admission.ts";
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

const config = parseConfig({
  rates: { accepts_per_sec: 4_000_000_000, per_peer_accepts_per_sec: 4_000_000_000 },
});
const admission = new Admission(() => config, {
  now: () => now += 0.001,
  after: () => ({ cancel() {} }),
});
const peers = Array.from({ length: 64 }, (_, i) => `192.0.2.${i}`);
bench({
  id: "bench_rate_limiter_admission",
  group: "bench_rate_limiter",
  units: CALLS,
  run: () => {
    let taken = 0;
    for (let i = 0; i < CALLS; i++) {
      const admitted = admission.accept(peers[i % peers.length]!);
      if (typeof admitted === "string") continue;
      admitted.release();
      taken++;
    }
    return taken;
  },
});
