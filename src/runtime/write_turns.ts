/**
 * Bounds what all sockets together write in one turn of the event loop. Where a write is a call to the
 * kernel, hundreds of peers that ask for large replies and do not read them would fill their kernel
 * buffers, megabytes each, in a row, and everyone else would wait for seconds (Bun 1.4.5).
 *
 * @module
 */

/** Bytes of one turn: a few milliseconds of copying. */
const TURN_BYTES = 4_194_304;

/** A socket that can go on writing. */
export interface TurnWriter {
  /** Its turn has come. It may wait again. */
  onTurn(): void;
}

/** See the module. One for all sockets of a runtime; who waits is served in the order of asking. */
export class WriteTurns {
  #left = TURN_BYTES;
  #next = false;
  /** Each open socket at most once. */
  #waiting: TurnWriter[] = [];

  /** How many of so many bytes may be written now. */
  room(bytes: number): number {
    return Math.min(bytes, this.#left);
  }

  /** They were written. */
  spend(bytes: number): void {
    this.#left -= bytes;
    // A timer for each turn would cost small ones more than it is worth: what few turns write adds up.
    if (this.#left < TURN_BYTES / 2) this.#renew();
  }

  /** @param writer Called back in a later turn. Must not wait already. */
  wait(writer: TurnWriter): void {
    this.#waiting.push(writer);
    this.#renew();
  }

  #renew(): void {
    if (this.#next) return;
    this.#next = true;
    setImmediate(() => {
      this.#next = false;
      this.#left = TURN_BYTES;
      const waiting = this.#waiting;
      this.#waiting = [];
      let served = 0;
      try {
        while (served < waiting.length && this.#left > 0) waiting[served++]!.onTurn();
      } finally {
        // Also where one threw, which is told as any error of a callback is. Before those who ask again.
        if (served < waiting.length) {
          this.#waiting = waiting.slice(served).concat(this.#waiting);
          this.#renew();
        }
      }
    });
  }
}
