/**
 * What counting costs: all that one read adds to the figures, with many frames in it and with one.
 *
 * @module
 */

import { systemClock } from "../src/clock.ts";
import { EDGES, Histogram } from "../src/histogram.ts";
import { framedCounters } from "../src/oap/framed_counters.ts";
import { TIMED_OF } from "../src/oap/totals.ts";
import { Traffic } from "../src/traffic.ts";
import { bench } from "./harness.ts";

/** Frames of a 16 KiB window of 102-byte frames. */
const MANY = 160;
const traffic = new Traffic();
const counters = framedCounters();
const readSeconds = new Histogram(EDGES.oapFrameSeconds);
const writeSeconds = new Histogram(EDGES.oapFrameSeconds);
const clock = systemClock;
const found = { frames: MANY, bytes: MANY * 102, hello: 0, error: 1, start: 3, end: 3 };

/** What link, sink and router count for one read of `frames` frames. */
function countRead(frames: number, bytes: number): number {
  traffic.bytesIn += bytes;
  traffic.reads.observe(bytes);
  const before = clock.now();
  counters.framesIn += frames;
  counters.bytesIn += bytes;
  counters.payloadIn += bytes - 38 * frames;
  counters.hello += found.hello;
  counters.error += found.error;
  counters.start += found.start;
  counters.end += found.end;
  counters.data += frames - found.hello - found.error - found.start - found.end;
  readSeconds.observe((clock.now() - before) / 1_000 / frames, frames);
  return counters.framesIn;
}

/** What sender and link count for `frames` frames that go out by one write. */
function countWrite(frames: number, bytes: number): number {
  for (let i = 0; i < frames; i++) {
    const timed = counters.framesOut % TIMED_OF === 0;
    const before = timed ? clock.now() : 0;
    counters.framesOut++;
    counters.bytesOut += 102;
    if (timed) writeSeconds.observe((clock.now() - before) / 1_000, TIMED_OF);
  }
  traffic.bytesOut += bytes;
  traffic.writes.observe(bytes);
  return counters.framesOut;
}

bench({
  id: "metrics_read_160_frames",
  group: "metrics_read",
  units: MANY,
  run: () => countRead(MANY, found.bytes),
});
bench({
  id: "metrics_read_1_frame",
  group: "metrics_read",
  units: 1,
  run: () => countRead(1, 102),
});
bench({
  id: "metrics_write_160_frames",
  group: "metrics_write",
  units: MANY,
  run: () => countWrite(MANY, found.bytes),
});
