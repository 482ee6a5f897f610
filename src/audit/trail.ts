/**
 * Events on their way to the host's hook: in order, one at a time, apart from the data path.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import type { AuditEvent } from "./events.ts";

/** The host's hook. What it throws is counted; while its promise is pending, the next event waits. */
export type AuditHook = (event: AuditEvent) => void | Promise<void>;

/** What a trail counts. */
export interface AuditCounters {
  /** Calls of the hook that threw or rejected. */
  hookFailures: number;
  /** Events that were dropped because more than 1024 waited for the hook; the oldest go. */
  auditDropped: number;
}

/** See the module. */
export class AuditTrail {
  readonly #hook: AuditHook | undefined;
  readonly #counters: AuditCounters;
  readonly #waiting: AuditEvent[] = [];
  #running = false;

  /** @param hook Takes each event. @param counters Where failures are counted. */
  constructor(hook: AuditHook | undefined, counters: AuditCounters) {
    this.#hook = hook;
    this.#counters = counters;
  }

  /** Events that wait for the hook. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Hands an event on. Returns before the hook is called, and never throws. */
  record(event: AuditEvent): void {
    const hook = this.#hook;
    if (hook === undefined) return;
    if (this.#waiting.length === CAPS.events) {
      this.#waiting.shift();
      this.#counters.auditDropped++;
    }
    this.#waiting.push(Object.freeze(event));
    if (this.#running) return;
    this.#running = true;
    void this.#run(hook);
  }

  /** Ends when nothing waits. Cannot reject. */
  async #run(hook: AuditHook): Promise<void> {
    await null; // the caller goes on first
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await hook(event);
      } catch {
        this.#counters.hookFailures++;
      }
    }
    this.#running = false;
  }
}
