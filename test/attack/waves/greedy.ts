/**
 * A hundred peers with addresses of their own, of which one sends as much as it can.
 *
 * @module
 */

import type { Socket } from "node:net";
import { once } from "node:events";
import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { EVENT, frame } from "../rig/frames.ts";

const PAYLOAD_BYTES = 1_024;
const MODEST = 99;

/** What was sent, in payload bytes. */
export interface Greed {
  readonly greedy: number;
  readonly modest: number;
  readonly ms: number;
}

/** The first of a hundred addresses is the greedy one's. */
export const PEERS: readonly string[] = Array.from(
  { length: MODEST + 1 },
  (_, i) => `127.0.1.${i + 1}`,
);

/** 99 peers send `bytesPerSec` each, the greedy one fills `conns` connections, all for `ms`. */
export async function greedy(
  target: Target,
  { bytesPerSec, conns, ms }: { bytesPerSec: number; conns: number; ms: number },
): Promise<Fates & Greed> {
  const event = frame({ flags: EVENT }, new Uint8Array(PAYLOAD_BYTES));
  const block = new Uint8Array(64 * event.length);
  for (let i = 0; i < 64; i++) block.set(event, i * event.length);
  const sent = { greedy: 0, modest: 0 };
  const start = performance.now();
  const over = (): boolean => performance.now() - start > ms;

  const gluttons = new Crowd({ ...target, sources: [PEERS[0]!] });
  const fill = async (socket: Socket): Promise<void> => {
    while (!over()) {
      sent.greedy += 64 * PAYLOAD_BYTES;
      if (!socket.write(block)) {
        const late = new Promise((next) => setTimeout(next, 200));
        await Promise.race([once(socket, "drain"), late]);
      }
    }
  };
  for (let i = 0; i < conns; i++) gluttons.open((socket) => void fill(socket).catch(() => {}));

  const others = new Crowd({ ...target, sources: PEERS.slice(1) });
  await others.openAll(MODEST, { atOnce: 20 }, () => {});
  const each = new Map<Socket, number>();
  while (!over()) {
    const due = Math.floor((performance.now() - start) / 1_000 * bytesPerSec / PAYLOAD_BYTES);
    for (const socket of others.sockets) {
      for (let n = each.get(socket) ?? 0; n < due; n++) {
        socket.write(event);
        sent.modest += PAYLOAD_BYTES;
      }
      each.set(socket, due);
    }
    await new Promise((next) => setTimeout(next, 20));
  }
  const took = performance.now() - start;
  // what the modest ones sent last is to arrive
  await new Promise((next) => setTimeout(next, 1_000));
  await gluttons.gone(0);
  await others.gone(0);
  return { ...others.fates(), ...sent, ms: took };
}
