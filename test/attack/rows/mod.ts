/**
 * All attacks, in the order of the table.
 *
 * @module
 */

import type { Row } from "../rig/waves_row.ts";
import { CUTS } from "./cuts.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { DRAIN } from "./drain.ts";
import { DRIPS } from "./drips.ts";
import { FLOOD } from "./flood.ts";
import { FRAME_FLOODS } from "./frames.ts";
import { GREEDY } from "./greedy.ts";
import { HALF_OPEN } from "./half_open.ts";
import { OVERSIZE } from "./oversize.ts";
import { SILENT_TCP, SILENT_TLS } from "./silent.ts";
import { SLOW_READERS } from "./slow_readers.ts";
import { STALLED } from "./stalled.ts";

/** See the module. */
export const ROWS: readonly Row[] = [
  OVERSIZE,
  STALLED,
  DRIPS,
  SILENT_TCP,
  SILENT_TLS,
  FLOOD,
  DESCRIPTORS,
  SLOW_READERS,
  ...FRAME_FLOODS,
  ...CUTS,
  HALF_OPEN,
  DRAIN,
  ...GREEDY,
];
