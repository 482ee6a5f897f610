/**
 * What counting costs: all that one read or write adds to the figures, with many frames in it and with one.
 *
 * @module
 */

import { Counting, MANY } from "./counting.ts";
import { bench } from "./harness.ts";

const counting = new Counting();

bench({
  id: "metrics_read_160_frames",
  group: "metrics_read",
  units: MANY,
  run: () => counting.read(MANY),
});
bench({
  id: "metrics_read_1_frame",
  group: "metrics_read",
  units: 1,
  run: () => counting.read(1),
});
bench({
  id: "metrics_write_160_frames",
  group: "metrics_write",
  units: MANY,
  run: () => counting.write(MANY),
});
