/**
 * What attackers do, by name. Each wave resolves when the server is rid of its connections, or when it
 * has given up waiting for that.
 *
 * @module
 */

import { drips } from "./drips.ts";
import { exhaust } from "./exhaust.ts";
import { flood } from "./flood.ts";
import { frames } from "./frames.ts";
import { greedy } from "./greedy.ts";
import { oversize } from "./oversize.ts";
import { silent } from "./silent.ts";
import { slowReaders } from "./slow_readers.ts";
import { stalled } from "./stalled.ts";

/** Name of a wave. */
export type WaveName =
  | "oversize"
  | "stalled"
  | "drips"
  | "silent"
  | "flood"
  | "exhaust"
  | "slowReaders"
  | "frames"
  | "greedy";

/** See the module. */
export const WAVES: Readonly<Record<WaveName, unknown>> = {
  oversize,
  stalled,
  drips,
  silent,
  flood,
  exhaust,
  slowReaders,
  frames,
  greedy,
};
