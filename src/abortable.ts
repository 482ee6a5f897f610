/**
 * Waits that a signal ends.
 *
 * @module
 */

import { deferred } from "./deferred.ts";

/**
 * Waits for something that cannot be called off itself.
 *
 * @param promise What is waited for.
 * @param signal Ends the wait.
 * @param undo Takes what comes after that; its own failure stays with it.
 * @throws The signal's reason, or what the promise rejects with.
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  undo: (late: T) => Promise<unknown>,
): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = deferred<never>();
  const onAbort = (): void => {
    promise.then(undo).catch(() => {});
    aborted.reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    aborted.promise.catch(() => {});
  }
}
