/**
 * Handing what is queued to a socket.
 *
 * @module
 */

import type { BlockPool } from "./block_pool.ts";
import type { Socket } from "./runtime/runtime.ts";
import type { WriteCredit } from "./write_credit.ts";
import { view, type WriteQueue } from "./write_queue.ts";

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
  pool: BlockPool,
): Flushed {
  const flushed: Flushed = { taken: 0, blocked: false, unpaid: false };
  const several = queue.pending > 1;
  const paid = credit.lane === undefined;
  if (paid) credit.bytes = 0;
  const gathers = several && paid && !socket.lends;
  if (gathers) gather(queue, socket, pool.scratch, flushed);
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
  if (several && !gathers) socket.uncork();
  return flushed;
}

/**
 * Sends runs by fewer writes, until one is left or the socket takes no more: where the runtime copies
 * anyway, one more copy costs less than a write for each. Very large ones are not copied.
 */
function gather(
  queue: WriteQueue,
  socket: Socket,
  scratch: Uint8Array,
  flushed: Flushed,
): void {
  while (!flushed.blocked && queue.pending > 1) {
    const first = queue.next!;
    const rest = first.end - first.taken;
    const bytes = rest < scratch.length
      ? scratch.subarray(0, queue.fill(scratch))
      : view(first, rest);
    const took = socket.write(bytes);
    queue.take(took);
    flushed.taken += took;
    flushed.blocked = took < bytes.length;
  }
}
