/**
 * Floods of small frames on few connections: unfinished, under new ids, under one id, or cancelled.
 *
 * @module
 */

import { once } from "node:events";
import type { Socket } from "node:net";
import { Crowd, type Fates, type Target } from "../rig/crowd.ts";
import { END, HEADER_BYTES, REQ, START, writeHeader } from "../rig/frames.ts";
import { APP } from "../rig/protocol.ts";

/** What the frames are. */
export const SORTS = {
  /** Begins a request of one byte and never ends it, each under a new id. */
  unfinished: 0,
  /** Plain requests under new ids that are never answered. */
  ids: 1,
  /** Plain requests, all under one id, that are never answered. */
  reuse: 2,
  /** Begins a request and cancels it at once, under new ids. */
  resets: 3,
} as const;

/** Frames written at a time. */
const BLOCK = 1_024;

/** What was sent. */
export interface Sent {
  readonly frames: number;
  readonly requests: number;
  readonly answers: number;
  readonly perSecond: number;
}

/**
 * `conns` connections send `count` frames in all, `perSecond` of them and at most for `ms`, read the
 * answers, and go.
 */
export async function frames(
  target: Target,
  { sort, conns, count, perSecond, ms }: {
    sort: number;
    conns: number;
    count: number;
    perSecond: number;
    ms: number;
  },
): Promise<Fates & Sent> {
  const crowd = new Crowd(target);
  const start = performance.now();
  let sent = 0;
  const run = async (socket: Socket): Promise<void> => {
    await once(socket, "connect");
    const until = start + ms;
    for (let n = 0; n < count / conns && performance.now() < until;) {
      const size = Math.min(BLOCK, count / conns - n);
      if (!socket.write(block(sort, n, size))) await once(socket, "drain");
      n += size;
      sent += size;
      const due = start + n * conns / perSecond * 1_000;
      await new Promise((next) => setTimeout(next, Math.max(0, due - performance.now())));
    }
  };
  const all = Array.from({ length: conns }, () => {
    const socket = crowd.open(() => {});
    // A server that breaks off ends the wait for room as well.
    const broken = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    return Promise.race([run(socket).catch(() => {}), broken]);
  });
  await Promise.all(all);
  const took = performance.now() - start;
  await settled(crowd);
  await crowd.gone(0);
  const answers = Math.floor(crowd.received / HEADER_BYTES);
  const requests = sort === SORTS.resets ? sent / 2 : sent;
  return {
    ...crowd.fates(),
    frames: sent,
    requests,
    answers,
    perSecond: Math.round(sent / took * 1_000),
  };
}

/** Waits until no answer has come for a second, but for the first one up to ten. */
async function settled(crowd: Crowd): Promise<void> {
  const start = performance.now();
  let last = -1;
  while (last !== crowd.received || crowd.received === 0 && performance.now() - start < 10_000) {
    last = crowd.received;
    await new Promise((next) => setTimeout(next, 1_000));
  }
}

function block(sort: number, from: number, size: number): Uint8Array {
  const payload = sort === SORTS.unfinished ? 1 : 0;
  const length = HEADER_BYTES + payload;
  const bytes = new Uint8Array(size * length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < size; i++) {
    const n = from + i;
    const cancels = sort === SORTS.resets && n % 2 === 1;
    writeHeader(view, i * length, {
      length,
      flags: flagsOf(sort, cancels),
      code: cancels ? 499 : 0,
      app: sort === SORTS.resets ? APP.slow : APP.hold,
      corrId: sort === SORTS.reuse ? 7n : BigInt(sort === SORTS.resets ? n >> 1 : n),
    });
  }
  return bytes;
}

function flagsOf(sort: number, cancels: boolean): number {
  if (cancels) return REQ | END;
  return sort === SORTS.unfinished || sort === SORTS.resets ? REQ | START : REQ;
}
