/**
 * Timers that are set while some work runs, and what became of them.
 *
 * @module
 */

/** See {@linkcode watchTimers}. */
export interface TimerWatch {
  /** The timers that wait, by handle, with a line on each. */
  readonly waiting: ReadonlyMap<unknown, string>;
  /** Waits without being counted. */
  pause(ms: number): Promise<void>;
  /** Gives the global functions back. */
  stop(): void;
}

type SetTimer = (
  callback: (...args: unknown[]) => void,
  ms?: number,
  ...rest: unknown[]
) => unknown;
type ClearTimer = (handle: unknown) => void;

/** Replaces the global functions for timers until it is stopped: no runtime lists timers that do not hold it. */
export function watchTimers(): TimerWatch {
  const scope = globalThis as unknown as Record<string, unknown>;
  const waiting = new Map<unknown, string>();
  const names = ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] as const;
  const originals = names.map((name) => scope[name]);
  const [setTimeout, setInterval, clearTimeout, clearInterval] = originals as [
    SetTimer,
    SetTimer,
    ClearTimer,
    ClearTimer,
  ];
  const set = (name: string, original: SetTimer): SetTimer => (callback, ms, ...rest) => {
    const fire = (...args: unknown[]): void => {
      if (name === "setTimeout") waiting.delete(handle);
      callback(...args);
    };
    const handle = original(fire, ms, ...rest);
    waiting.set(handle, `${name}(${ms ?? 0} ms) set ${caller()}`);
    return handle;
  };
  const clear = (original: ClearTimer): ClearTimer => (handle) => {
    if (!waiting.delete(handle) && handle !== undefined && handle !== null) {
      // Node and Bun also take a timer's number.
      for (const key of waiting.keys()) if (Number(key) === Number(handle)) waiting.delete(key);
    }
    original(handle);
  };
  // Assigned onto: keeps util.promisify.custom and the like.
  scope["setTimeout"] = Object.assign(set("setTimeout", setTimeout), setTimeout);
  scope["setInterval"] = Object.assign(set("setInterval", setInterval), setInterval);
  scope["clearTimeout"] = clear(clearTimeout);
  scope["clearInterval"] = clear(clearInterval);
  return {
    waiting,
    pause: (ms) => new Promise((resolve) => void setTimeout(() => resolve(), ms)),
    stop: () => names.forEach((name, i) => scope[name] = originals[i]),
  };
}

function caller(): string {
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  const line = lines.find((text) => !/[/\\]timer_watch\.[tj]s/.test(text));
  return line === undefined ? "at an unknown place" : line.trim();
}
