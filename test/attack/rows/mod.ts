/**
 * All attacks, in the order of the table.
 *
 * @module
 */

import type { Row } from "../rig/waves_row.ts";
import { DRIPS } from "./drips.ts";
import { OVERSIZE } from "./oversize.ts";
import { STALLED } from "./stalled.ts";

/** See the module. */
export const ROWS: readonly Row[] = [OVERSIZE, STALLED, DRIPS];
