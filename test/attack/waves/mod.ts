/**
 * What attackers do, by name. Each wave resolves when the server is rid of its connections, or when it
 * has given up waiting for that.
 *
 * @module
 */

import { drips } from "./drips.ts";
import { oversize } from "./oversize.ts";
import { stalled } from "./stalled.ts";

/** See the module. */
export const WAVES: Readonly<Record<WaveName, unknown>> = { oversize, stalled, drips };

/** Name of a wave. */
export type WaveName = "oversize" | "stalled" | "drips";
