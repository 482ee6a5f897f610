/**
 * Connections that say nothing, or half of a ClientHello.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";

/** A record of 512 bytes that begins a ClientHello and stops after 100. */
function halfHello(): Uint8Array {
  const bytes = new Uint8Array(100).fill(0x5a);
  bytes.set([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
  return bytes;
}

/** `count` connections, of which `percent` send half a ClientHello, held until the server ends them or `waitMs`. */
export async function silent(
  target: Target,
  { count, percent, perSecond, waitMs }: {
    count: number;
    percent: number;
    perSecond: number;
    waitMs: number;
  },
): Promise<Fates> {
  const crowd = new Crowd(target);
  const half = halfHello();
  let i = 0;
  await crowd.openAll(count, { atOnce: 100, perSecond }, (socket) => {
    if (i++ % 100 < percent) socket.write(half);
  });
  await crowd.gone(waitMs);
  return crowd.fates();
}
