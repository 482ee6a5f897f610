/**
 * One byte a second: half of the connections inside a header, half inside a body.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { header } from "../rig/frames.ts";

const BODY_BYTES = 10_000;

/** `count` connections that drip every `everyMs` until the server ends them or `waitMs` have passed. */
export async function drips(
  target: Target,
  { count, everyMs, waitMs }: { count: number; everyMs: number; waitMs: number },
): Promise<Fates> {
  const crowd = new Crowd(target);
  const frame = new Uint8Array(BODY_BYTES);
  frame.set(header({ length: BODY_BYTES }));
  const sent = new Map<object, number>();
  let i = 0;
  const timer = setInterval(() => {
    for (const socket of crowd.sockets) {
      const at = sent.get(socket);
      if (at === undefined) continue;
      socket.write(frame.subarray(at, at + 1));
      sent.set(socket, at + 1);
    }
  }, everyMs);
  await crowd.openAll(count, { atOnce: 100 }, (socket) => {
    const at = i++ % 2 === 0 ? 1 : 50;
    socket.write(frame.subarray(0, at));
    sent.set(socket, at);
  });
  await crowd.gone(waitMs);
  clearInterval(timer);
  return crowd.fates();
}
