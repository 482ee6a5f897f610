/**
 * What happened in a simulation.
 *
 * @module
 */

/** How many events are kept. */
const KEPT = 50;

/** The last events, their number, and a digest of all of them. */
export class Trace {
  readonly #events: string[] = [];
  readonly #now: () => number;
  readonly #onEvent: ((line: string) => void) | undefined;
  #count = 0;
  #digest = 0x811c9dc5;

  /** @param now The time of an event. @param onEvent Told of each. */
  constructor(now: () => number, onEvent: ((line: string) => void) | undefined) {
    this.#now = now;
    this.#onEvent = onEvent;
  }

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  /** A digest of all events: two runs that did the same have the same. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, "0");
  }

  /** The last events, oldest first. */
  get last(): readonly string[] {
    const from = this.#count > KEPT ? this.#count % KEPT : 0;
    return [...this.#events.slice(from), ...this.#events.slice(0, from)];
  }

  /** Something happened. */
  add(who: string, what: string): void {
    const line = `${this.#now().toFixed(3)} ${who} ${what}`;
    let digest = this.#digest;
    for (let i = 0; i < line.length; i++) digest = Math.imul(digest ^ line.charCodeAt(i), 16777619);
    this.#digest = digest;
    this.#events[this.#count++ % KEPT] = line;
    this.#onEvent?.(line);
  }
}
