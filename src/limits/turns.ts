/**
 * Whoever waits for bytes of the budget, served by peer in turn.
 *
 * @module
 */

import { CAPS } from "../caps.ts";

/** What a peer may take in its turn, in bytes: the largest thing that is reserved at once. */
const QUANTUM_BYTES = CAPS.frameBytes;

/** Whether there is room, or what there is none of: the peer's share, or the pool that it may use. */
export type Room = "there" | "share" | "pool";

/** One that waits. */
export interface Waiter {
  /** Bytes that it takes now. */
  needs(): number;
  /** There is room for them: takes them now. */
  grant(): void;
}

interface Queue {
  readonly waiters: Waiter[];
  /** Bytes left of its turn. */
  deficit: number;
  /** Whether its turn goes on when the pool has room again. */
  begun: boolean;
}

/**
 * Deficit round robin over shares, first come first served within each. A share that is full is passed
 * over. One that could take its bytes, were the pool not full, keeps its turn: nobody is served before it,
 * so that many small waiters cannot keep a large one out.
 */
export class Turns<Share> {
  readonly #room: (share: Share, bytes: number) => Room;
  /** In the order of their turns: the first has it. */
  readonly #queues = new Map<Share, Queue>();
  #serving = false;

  /** @param room Whether a share may take so many more. */
  constructor(room: (share: Share, bytes: number) => Room) {
    this.#room = room;
  }

  /** How many wait. */
  get waiting(): number {
    let n = 0;
    for (const { waiters } of this.#queues.values()) n += waiters.length;
    return n;
  }

  /** Whether one of this share waits, or one that nobody may overtake. */
  has(share: Share): boolean {
    if (this.#queues.has(share)) return true;
    for (const { begun } of this.#queues.values()) return begun;
    return false;
  }

  /** Waits. {@linkcode Turns.serve} grants it, at once if it can. */
  join(share: Share, waiter: Waiter): void {
    let queue = this.#queues.get(share);
    if (queue === undefined) {
      queue = { waiters: [], deficit: 0, begun: false };
      this.#queues.set(share, queue);
    }
    queue.waiters.push(waiter);
  }

  /** Waits no more. */
  leave(share: Share, waiter: Waiter): void {
    const queue = this.#queues.get(share);
    const at = queue?.waiters.indexOf(waiter) ?? -1;
    if (queue === undefined || at < 0) return;
    queue.waiters.splice(at, 1);
    queue.begun &&= at > 0;
    if (queue.waiters.length === 0) this.#queues.delete(share);
  }

  /** Grants what can be granted, in turn. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (let vain = 0; vain < this.#queues.size;) {
        const [share, queue] = this.#queues.entries().next().value!;
        const outcome = this.#turn(share, queue);
        if (outcome === "pool") break;
        vain = outcome === "over" ? 0 : vain + 1;
        if (this.#queues.get(share) !== queue) continue;
        this.#queues.delete(share);
        this.#queues.set(share, queue);
      }
    } finally {
      this.#serving = false;
    }
  }

  /** One share's turn: over when its deficit is used up, or what keeps it from going on. */
  #turn(share: Share, queue: Queue): "over" | "share" | "pool" {
    if (!queue.begun) queue.deficit += QUANTUM_BYTES;
    queue.begun = false;
    let outcome: "over" | "share" = "share";
    for (let first = queue.waiters[0]; first !== undefined; first = queue.waiters[0]) {
      const bytes = Math.max(0, first.needs());
      const room = bytes === 0 ? "there" : this.#room(share, bytes);
      if (room === "pool") {
        queue.begun = true;
        return "pool";
      }
      if (room === "share") break;
      outcome = "over";
      if (bytes > queue.deficit) return outcome;
      queue.deficit -= bytes;
      this.leave(share, first);
      first.grant();
    }
    queue.deficit = 0; // what it could not use is not saved up
    return outcome;
  }
}
