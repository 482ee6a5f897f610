/**
 * Peers that ask for replies of 1 MiB and read nothing.
 *
 * @module
 */

import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { header, HEADER_BYTES } from "../rig/frames.ts";
import { APP } from "../rig/protocol.ts";

/** `count` connections, each with `requests` requests, held until the server ends them or `waitMs`. */
export async function slowReaders(
  target: Target,
  { count, requests, waitMs }: { count: number; requests: number; waitMs: number },
): Promise<Fates> {
  const crowd = new Crowd(target);
  const bytes = new Uint8Array(requests * HEADER_BYTES);
  for (let i = 0; i < requests; i++) {
    bytes.set(header({ app: APP.document, corrId: BigInt(i) }), i * HEADER_BYTES);
  }
  await crowd.openAll(count, { atOnce: 50 }, (socket) => {
    socket.pause();
    socket.write(bytes);
    // Asks again, for where the budget had no room; and a reset is noticed by a write alone.
    const poke = setInterval(() => socket.write(bytes), 500);
    socket.once("close", () => clearInterval(poke));
  });
  await crowd.gone(waitMs);
  return crowd.fates();
}
