/**
 * Monotonic time and timers behind one interface, so that tests drive both by hand.
 *
 * @module
 */

/** A timer that can be stopped. Stopping one that has fired, or twice, does nothing. */
export interface Timer {
  /** Stops the timer. */
  cancel(): void;
}

/** A monotonic clock with timers. `@ron/transport/testing` has one that is moved by hand. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /**
   * Calls `callback` once, `ms` from now. A timer never keeps the process alive.
   *
   * @param ms Delay in milliseconds.
   * @param callback Runs once, unless the timer is cancelled first.
   */
  after(ms: number, callback: () => void): Timer;
}

/** The runtime's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const id: unknown = setTimeout(callback, ms);
    // Node and Bun give an object, Deno a number in web code; a pending deadline must not hold the process.
    if (typeof id === "object" && id !== null && "unref" in id) (id as { unref(): void }).unref();
    return { cancel: () => clearTimeout(id as number) };
  },
};
