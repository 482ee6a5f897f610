/**
 * Whether a transport takes work, from what it does and what has befallen it.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { type ErrorKind, TransportError } from "./errors.ts";
import {
  type Readiness,
  type ReadinessReason,
  ReadinessState,
  type ReadinessTransition,
  reasonOf,
} from "./readiness.ts";
import { TrapRate } from "./trap_rate.ts";

/**
 * See the module. Of several reasons not to take work the lasting one is told: draining, then traps of the
 * codec's module, then the fault of the last `listen`.
 */
export class WorkState {
  readonly #readiness: ReadinessState;
  readonly #traps: TrapRate;
  #dials: boolean;
  #listens = 0;
  #fault: ReadinessReason | undefined; // of the last listen, until one succeeds
  #draining = false;

  /**
   * @param clock Monotonic time.
   * @param onlyDials Whether it can do nothing but dial.
   * @param onChange Told each change once; must not throw.
   */
  constructor(
    clock: Clock,
    onlyDials: boolean,
    onChange: (transition: ReadinessTransition) => void,
  ) {
    this.#readiness = new ReadinessState(onChange);
    this.#traps = new TrapRate(clock, () => this.#judge());
    this.#dials = onlyDials;
    this.#judge();
  }

  /** What a host is told. */
  get readiness(): Readiness {
    return this.#readiness.current;
  }

  /** Whether it has begun to drain; that is never taken back. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether sockets are accepted; one that binds has none yet to refuse. */
  get accepts(): boolean {
    const { current, ready } = this.#readiness;
    return ready || reasonOf(current) === "starting";
  }

  /** It dials. */
  dials(): void {
    this.#dials = true;
    this.#judge();
  }

  /** A listener is bound. */
  listens(): void {
    this.#listens++;
    this.#fault = undefined;
    this.#judge();
  }

  /** A bound listener has closed. */
  listensNoMore(): void {
    this.#listens--;
  }

  /** A `listen` failed. */
  failed(reason: ReadinessReason): void {
    this.#fault = reason;
    this.#judge();
  }

  /** A connection was lost to a trap of the codec's module. */
  trapped(): void {
    this.#traps.trapped();
  }

  /** No new work from here on. */
  drain(): void {
    this.#draining = true;
    this.#traps.close();
    this.#judge();
  }

  /** @throws {TransportError} When it cannot dial now, saying why. */
  assertDials(): void {
    if (this.#readiness.ready) return;
    const reason = reasonOf(this.#readiness.current) ?? "starting";
    const what = `Cannot dial while the transport is NotReady (${reason})`;
    throw new TransportError(kindOf(reason), what, { op: "dial" });
  }

  #judge(): void {
    if (this.#draining) this.#notReady("draining");
    else if (this.#traps.tooMany) this.#notReady("internal");
    else if (this.#fault !== undefined) this.#notReady(this.#fault);
    else if (this.#listens > 0 || this.#dials) this.#readiness.set({ state: "Ready" });
    else this.#notReady("starting");
  }

  #notReady(reason: ReadinessReason): void {
    this.#readiness.set({ state: "NotReady", reason });
  }
}

function kindOf(reason: ReadinessReason): ErrorKind {
  if (reason === "bind_failed" || reason === "tls" || reason === "internal") return reason;
  return reason === "tls_config_missing" ? "config_invalid" : "misuse";
}
