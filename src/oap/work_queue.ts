/**
 * Batches that nobody has taken yet.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { PART_BYTES } from "../sink.ts";
import type { FrameBatch } from "./batch.ts";

interface Waiter {
  resolve(result: IteratorResult<FrameBatch>): void;
  reject(error: unknown): void;
}

/** Whom a queue tells. */
export interface QueueOwner {
  /** A batch has been taken, or a consumer waits for one. */
  onTaken(): void;
}

/** A queue with one consumer. The frames in it count towards the work queue's bound. */
export class WorkQueue implements AsyncIterator<FrameBatch> {
  readonly #batches: FrameBatch[] = [];
  readonly #owner: QueueOwner;
  #frames = 0;
  #bytes = 0;
  #waiter: Waiter | undefined = undefined;
  #over = false;
  #error: unknown = undefined;

  /** @param owner Told that there is room. */
  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  /** Frames that nobody has taken. */
  get frames(): number {
    return this.#frames;
  }

  /** What these count towards the budget. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the consumer waits for a batch. */
  get wanted(): boolean {
    return this.#waiter !== undefined;
  }

  /** Adds a batch. */
  push(batch: FrameBatch): void {
    if (batch.length === 0) return;
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: batch });
      return;
    }
    this.#batches.push(batch);
    this.#frames += batch.length;
    this.#bytes += bytesOf(batch);
  }

  /** Nothing more comes: after what is queued, the consumer sees the end, or this error once. */
  finish(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) this.#settle(waiter);
  }

  /** Forgets what is queued. */
  drop(): void {
    this.#batches.length = 0;
    this.#frames = this.#bytes = 0;
  }

  /** The oldest batch, without waiting. */
  shift(): FrameBatch | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    this.#frames -= batch.length;
    this.#bytes -= bytesOf(batch);
    return batch;
  }

  /** The next batch; waits for one. */
  next(): Promise<IteratorResult<FrameBatch>> {
    const batch = this.shift();
    if (batch !== undefined) {
      this.#owner.onTaken();
      return Promise.resolve({ done: false, value: batch });
    }
    return new Promise((resolve, reject) => {
      if (this.#over) return this.#settle({ resolve, reject });
      if (this.#waiter !== undefined) {
        return reject(
          new TransportError("misuse", "Cannot wait for two batches at once: await the first", {
            op: "read",
          }),
        );
      }
      this.#waiter = { resolve, reject };
      this.#owner.onTaken();
    });
  }

  /** The consumer leaves: a loop was broken off. What is queued stays for the next consumer. */
  return(): Promise<IteratorResult<FrameBatch>> {
    this.#waiter?.resolve({ done: true, value: undefined });
    this.#waiter = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  #settle(waiter: Waiter): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(error);
  }
}

/** What is kept for a batch. Header and capability of a frame in parts lie apart, and count with its first. */
function bytesOf(batch: FrameBatch): number {
  let sum = 0;
  for (const { at, end, body, offset } of batch.runs()) {
    const head = body !== undefined && offset === 0 ? body.head.bytes.length : 0;
    sum += Math.max(PART_BYTES, head + end - at);
  }
  return sum;
}
