/**
 * Frames of 1 MiB of which 99 % come, and then nothing.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { header } from "../rig/frames.ts";

const FRAME_BYTES = 1_048_576;

/** `count` connections that stall, and are held until the server ends them or `waitMs` have passed. */
export async function stalled(
  target: Target,
  { count, waitMs }: { count: number; waitMs: number },
): Promise<Fates> {
  const crowd = new Crowd(target);
  const frame = new Uint8Array(Math.floor(FRAME_BYTES * 0.99));
  frame.set(header({ length: FRAME_BYTES }));
  await crowd.openAll(count, { atOnce: 50 }, (socket) => {
    socket.write(frame);
  });
  await crowd.gone(waitMs);
  return crowd.fates();
}
