/**
 * Requests with running numbers, for peers that send messages one by one.
 *
 * @module
 */

import { Counting, type Job, message, MORE, NUMBER_AT, type Tally } from "./contract.ts";

/** The number in a message that starts at `from`. */
export function numberOf(bytes: Uint8Array, from: number = 0): number {
  const at = from + NUMBER_AT;
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Counts a request where it arrives. */
export function count(counting: Counting, bytes: Uint8Array): void {
  counting.messages++;
  counting.bytes += bytes.length;
  counting.sum += numberOf(bytes);
}

/** See the module. The memory of a request is used again only after twice as many others as may wait. */
export class Numbered {
  readonly #counting: Counting = new Counting();
  readonly #send: (request: Uint8Array) => void;
  readonly #inflight: number;
  readonly #requests: readonly Uint8Array[];
  #next = 0;
  #count = 0;
  #done: (answers: Tally) => void = () => {};

  /** @param job The work. @param send Sends a request. */
  constructor({ bytes, inflight }: Job, send: (request: Uint8Array) => void) {
    this.#inflight = inflight;
    this.#send = send;
    this.#requests = Array.from({ length: 2 * inflight }, () => message(bytes, MORE));
  }

  /** Sends the first requests; resolves with the last answer. */
  run(count: number): Promise<Tally> {
    this.#count = count;
    this.#next = 0;
    return new Promise((resolve) => {
      this.#done = resolve;
      for (let i = 0; i < this.#inflight; i++) this.#ask();
    });
  }

  /** Takes an answer, and sends the next request. */
  answer(bytes: Uint8Array): void {
    const counting = this.#counting;
    count(counting, bytes);
    this.#ask();
    if (counting.messages === this.#count) this.#done(counting.take());
  }

  #ask(): void {
    if (this.#next >= this.#count) return;
    const n = this.#next++;
    const request = this.#requests[n % this.#requests.length] as Uint8Array;
    request[NUMBER_AT] = n >>> 24;
    request[NUMBER_AT + 1] = n >>> 16;
    request[NUMBER_AT + 2] = n >>> 8;
    request[NUMBER_AT + 3] = n;
    this.#send(request);
  }
}

/** Counts a message of a flow where it arrives. Whether it is the last one. */
export function countFlow(counting: Counting, bytes: Uint8Array): boolean {
  const last = bytes[bytes.length - 1]!;
  counting.messages++;
  counting.bytes += bytes.length;
  counting.sum += last;
  return last === 255;
}

/** What a flow's client tells. */
export const FLOWN: Tally = Object.freeze({ messages: 1, bytes: 0, sum: 0 });

/** Imports a file that setup.sh makes. */
export async function bundled<T>(name: string): Promise<T> {
  return await import(new URL(`./node_modules/.bundle/${name}.mjs`, import.meta.url).href) as T;
}
