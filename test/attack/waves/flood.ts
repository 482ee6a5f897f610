/**
 * Connections at a high rate from several addresses: every second one is held, the others are reset.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";

/** `perSecond` connections for `ms`; then all that are left are reset. */
export async function flood(
  target: Target,
  { perSecond, ms }: { perSecond: number; ms: number },
): Promise<Fates & { achieved: number }> {
  const crowd = new Crowd(target);
  let i = 0;
  const start = performance.now();
  await crowd.openAll(perSecond * ms / 1_000, { atOnce: 500, perSecond, ms }, (socket) => {
    if (i++ % 2 === 0) setTimeout(() => socket.resetAndDestroy(), 20);
  });
  const took = performance.now() - start;
  await crowd.gone(500);
  const fates = crowd.fates();
  return { ...fates, achieved: Math.round(fates.connected / took * 1_000) };
}
