/**
 * Running code on a manual clock.
 *
 * @module
 */

import type { ManualClock } from "./manual_clock.ts";

/** Promise callbacks that may follow one another before an event is taken to have had its effect. */
const TURNS = 24;

/** Lets promise callbacks run, in a number that is the same each time. */
export async function turns(n: number = TURNS): Promise<void> {
  for (let i = 0; i < n; i++) await null;
}

/**
 * Steps a manual clock, one event at a time, until some work is done. As nothing else moves time, the work
 * does the same each time it is run.
 *
 * @param clock The clock that the work runs on.
 * @param work The work, or a function that starts it.
 * @returns What the work gives.
 * @throws {Error} When no event is left and the work still waits; otherwise what the work throws.
 *
 * @example An hour in no time
 * ```ts
 * import { drive, ManualClock } from "@ron/transport/testing";
 *
 * const clock = new ManualClock();
 * await drive(clock, () => new Promise<void>((resolve) => clock.after(3_600_000, resolve)));
 * ```
 */
export async function drive<T>(
  clock: ManualClock,
  work: PromiseLike<T> | (() => PromiseLike<T> | T),
): Promise<T> {
  let over = false;
  const settled = Promise.resolve(typeof work === "function" ? work() : work)
    .finally(() => over = true);
  settled.catch(() => {}); // reported below
  await turns();
  while (!over) {
    if (!clock.step()) {
      await turns();
      if (over) break;
      throw new Error("The work waits for something that no event of the clock will bring");
    }
    await turns();
  }
  return await settled;
}
