/**
 * Descriptors of this process, where the system lists them.
 *
 * @module
 */

import { readdirSync, readlinkSync } from "node:fs";

/**
 * Inodes of the sockets that are open.
 *
 * @returns `undefined` where the system does not list them, or does not let this process look.
 */
export function openSockets(): ReadonlySet<string> | undefined {
  const inodes = new Set<string>();
  let entries: string[];
  try {
    entries = readdirSync("/proc/self/fd");
  } catch {
    return undefined;
  }
  for (const fd of entries) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith("socket:")) inodes.add(target.slice(8, -1));
    } catch {
      // closed since the listing, as the listing's own descriptor is
    }
  }
  return inodes;
}
