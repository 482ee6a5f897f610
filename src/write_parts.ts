/**
 * Writing several pieces one by one.
 *
 * @module
 */

import type { Socket } from "./runtime/runtime.ts";

/**
 * Writes pieces in their order, until the socket takes less than a whole one.
 *
 * @param sent Bytes of them that it has taken already.
 * @returns Bytes of them that it has taken now.
 */
export function writeParts(
  socket: Pick<Socket, "write">,
  parts: readonly Uint8Array[],
  sent: number = 0,
): number {
  let taken = sent;
  let at = 0;
  for (const part of parts) {
    const from = at;
    at += part.length;
    if (taken >= at) continue;
    const rest = taken > from ? part.subarray(taken - from) : part;
    const n = socket.write(rest);
    taken += n;
    if (n < rest.length) break;
  }
  return taken;
}
