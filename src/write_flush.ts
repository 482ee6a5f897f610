/**
 * Handing what is queued to a socket.
 *
 * @module
 */

import type { Socket } from "./runtime/runtime.ts";
import type { WriteCredit } from "./write_credit.ts";
import { view, type WriteQueue } from "./write_queue.ts";

/** Bytes after which no more runs join a call: 16 chunks of a stream, so that there are not too many of them. */
const TOGETHER_BYTES = 1_048_576;

/** What came of it. */
export interface Flushed {
  /** Bytes that the socket took. */
  taken: number;
  /** It takes no more for now. */
  blocked: boolean;
  /** What is next has to be paid first. */
  unpaid: boolean;
}

/**
 * Writes what is queued, in order, as far as the socket takes it and it is paid. Several runs go out by as
 * few system calls as the runtime has. When a write ends the connection, the queue is empty.
 */
export function flushQueue(
  queue: WriteQueue,
  socket: Socket,
  credit: WriteCredit,
): Flushed {
  const flushed: Flushed = { taken: 0, blocked: false, unpaid: false };
  const several = queue.pending > 1;
  const paid = credit.lane === undefined;
  if (paid) credit.bytes = 0;
  const together = several && paid && socket.writev !== undefined;
  if (together) sendTogether(queue, socket, flushed);
  else if (several) socket.cork();
  while (!flushed.blocked && !flushed.unpaid) {
    const run = queue.next;
    if (run === undefined) break;
    const rest = run.end - run.taken;
    const want = paid ? rest : Math.min(rest, credit.bytes);
    const took = want > 0 ? socket.write(view(run, want)) : 0;
    if (!paid) credit.bytes -= took;
    flushed.taken += took;
    flushed.blocked = took < want;
    flushed.unpaid = took === want && want < rest;
    queue.take(took);
  }
  if (flushed.unpaid) credit.lane?.wait();
  if (several && !together) socket.uncork();
  return flushed;
}

/** Sends runs by one call for many, until one is left or the socket takes no more. */
function sendTogether(queue: WriteQueue, socket: Socket, flushed: Flushed): void {
  while (!flushed.blocked && queue.pending > 1) {
    const { parts, bytes } = queue.parts(TOGETHER_BYTES);
    const took = socket.writev!(parts);
    queue.take(took);
    flushed.taken += took;
    flushed.blocked = took < bytes;
  }
}
