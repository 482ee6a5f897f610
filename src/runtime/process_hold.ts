/**
 * Keeps the process alive while sockets are open. Node ends a process whose sockets are all paused, or have
 * been ended by the peer, though a rate or the byte budget will let them go on: what they owe would be lost
 * without a word. Timers of ours do not hold it either, as most of them are deadlines.
 *
 * @module
 */

/** Longest delay of a timer, in milliseconds. */
const LONGEST_MS = 2_147_483_647;

/** Something that tells once when it has closed. */
interface Closing {
  on(event: "close", listener: () => void): unknown;
}

/** Counts open sockets of one runtime, with one timer for all of them. */
export class ProcessHold {
  #open = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** One for all sockets: a closure for each would be memory for each. */
  readonly #closed = (): void => {
    if (--this.#open > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };

  /** @param socket Holds the process until it has closed. */
  add(socket: Closing): void {
    socket.on("close", this.#closed);
    if (this.#open++ === 0) this.#timer = setInterval(() => {}, LONGEST_MS);
  }
}
