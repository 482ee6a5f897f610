/**
 * Callers that wait for room in a writer inbox, strictly in the order they came.
 *
 * @module
 */

import { TransportError } from "./errors.ts";

/** Most callers that wait at a time. */
const CALLERS = 256;

interface Caller {
  readonly bytes: number;
  readonly put: () => boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** See the module. */
export class WriteLine {
  readonly #hasRoom: (n: number) => boolean;
  readonly #callers: Caller[] = [];
  #serving = false;

  /** @param hasRoom Whether `n` bytes fit now; if not, {@linkcode WriteLine.serve} is called when they may. */
  constructor(hasRoom: (n: number) => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Callers that wait. */
  get length(): number {
    return this.#callers.length;
  }

  /** Whether no more may wait. */
  get full(): boolean {
    return this.#callers.length >= CALLERS;
  }

  /** Whether the caller whose turn it is puts its item right now. */
  get serving(): boolean {
    return this.#serving;
  }

  /** The error of a full line. */
  refusal(): TransportError {
    return new TransportError(
      "busy",
      `${CALLERS} callers wait for room in the writer inbox already: await an earlier one`,
      { op: "write" },
    );
  }

  /** Waits until `put` has put an item of `bytes`; it is called when its turn has come and there is room. */
  join(bytes: number, put: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#leave(caller);
        reject(signal!.reason);
        this.serve();
      };
      const settle = (): void => signal?.removeEventListener("abort", onAbort);
      const caller: Caller = {
        bytes,
        put,
        resolve: () => (settle(), resolve()),
        reject: (error) => (settle(), reject(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#callers.push(caller);
      this.serve();
    });
  }

  /** Gives the callers their turns, as far as there is room. */
  serve(): void {
    if (this.#serving) return;
    for (let caller = this.#callers[0]; caller !== undefined; caller = this.#callers[0]) {
      if (!this.#hasRoom(caller.bytes)) return;
      this.#serving = true;
      try {
        if (!caller.put()) return;
        caller.resolve();
      } catch (error) {
        caller.reject(error);
      } finally {
        this.#serving = false;
      }
      this.#leave(caller);
    }
  }

  /** Nobody gets a turn any more. */
  reject(error: TransportError): void {
    for (const caller of this.#callers.splice(0)) caller.reject(error);
  }

  #leave(caller: Caller): void {
    const at = this.#callers.indexOf(caller);
    if (at >= 0) this.#callers.splice(at, 1);
  }
}
