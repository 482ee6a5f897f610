/**
 * Headers that declare more than a frame may have, and nothing behind them.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { header } from "../rig/frames.ts";

const LENGTHS: readonly number[] = [1_048_577, 2 ** 31, 2 ** 32 - 1];

/** `count` connections, `atOnce` at a time; each sends 38 bytes and waits. */
export async function oversize(
  target: Target,
  { count, atOnce }: { count: number; atOnce: number },
): Promise<Fates> {
  const crowd = new Crowd(target);
  const headers = LENGTHS.map((length) => header({ length }));
  let i = 0;
  await crowd.openAll(count, { atOnce, alive: true }, (socket) => {
    socket.write(headers[i++ % headers.length]!);
  });
  await crowd.gone(10_000);
  return crowd.fates();
}
