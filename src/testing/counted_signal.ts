/**
 * Signals that know their listeners.
 *
 * @module
 */

/** See {@linkcode countedSignal}. */
export interface CountedSignal {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  /** Listeners that were neither removed nor let go by an abort. */
  listeners(): number;
}

/** Makes a signal whose listeners are counted, as no runtime lists them. */
export function countedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const held = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as typeof signal.addEventListener;
  const remove = signal.removeEventListener.bind(signal) as typeof signal.removeEventListener;
  Object.defineProperties(signal, {
    addEventListener: {
      value: (...args: Parameters<typeof add>): void => {
        if (args[0] === "abort" && !signal.aborted) held.add(args[1]);
        add(...args);
      },
    },
    removeEventListener: {
      value: (...args: Parameters<typeof remove>): void => {
        held.delete(args[1]);
        remove(...args);
      },
    },
  });
  return { controller, signal, listeners: () => signal.aborted ? 0 : held.size };
}
