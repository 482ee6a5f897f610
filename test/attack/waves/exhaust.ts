/**
 * More connections than the server has descriptors for; then all of them go at once.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { frame } from "../rig/frames.ts";

/**
 * `count` connections are held for `ms` and then reset.
 *
 * @returns Also `resumedMs`: from the reset until a new connection has its answer.
 */
export async function exhaust(
  target: Target,
  { count, ms }: { count: number; ms: number },
): Promise<Fates & { resumedMs: number }> {
  const crowd = new Crowd(target);
  void crowd.openAll(count, { atOnce: 50 }, () => {});
  await delay(ms);
  crowd.breakOff();
  const freed = performance.now();
  const request = frame({}, new Uint8Array(10));
  const probes = new Crowd(target);
  while (probes.received === 0 && performance.now() - freed < 10_000) {
    const probe = probes.open((socket) => socket.write(request));
    await delay(100);
    probe.resetAndDestroy();
  }
  const resumedMs = performance.now() - freed;
  await crowd.gone(0);
  await probes.gone(0);
  return { ...crowd.fates(), resumedMs };
}
