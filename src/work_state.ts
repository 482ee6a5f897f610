/**
 * Whether a transport takes work, from what it does and what has befallen it.
 *
 * @module
 */

import type { ArtiSession } from "./arti/backend.ts";
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
 * codec's module, then the fault of the last `listen`, then a bootstrap that is not done.
 */
export class WorkState {
  readonly #readiness: ReadinessState;
  readonly #traps: TrapRate;
  #dials: boolean;
  #listens = 0;
  #arti: Pick<ArtiSession, "state" | "refusal"> | undefined;
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
    this.#traps = new TrapRate(clock, () => this.judge());
    this.#dials = onlyDials;
    this.judge();
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

  /** Ready depends on a bootstrap, whose changes {@linkcode WorkState.judge} is told of. */
  follow(arti: Pick<ArtiSession, "state" | "refusal"> | undefined): void {
    this.#arti = arti;
    this.judge();
  }

  /** It dials. */
  dials(): void {
    this.#dials = true;
    this.judge();
  }

  /** A listener is bound. */
  listens(): void {
    this.#listens++;
    this.#fault = undefined;
    this.judge();
  }

  /** A bound listener has closed. */
  listensNoMore(): void {
    this.#listens--;
  }

  /** A `listen` failed; for want of a bootstrap, that tells it. */
  failed(reason: ReadinessReason): void {
    if (this.#arti === undefined || this.#arti.state === "ready") this.#fault = reason;
    this.judge();
  }

  /** A connection was lost to a trap of the codec's module. */
  trapped(): void {
    this.#traps.trapped();
  }

  /** No new work from here on. */
  drain(): void {
    this.#draining = true;
    this.#traps.close();
    this.judge();
  }

  /** Why it cannot dial now. */
  dialRefusal(): TransportError | undefined {
    if (this.#readiness.ready) return undefined;
    const reason = reasonOf(this.#readiness.current) ?? "starting";
    const more = reason === "arti_bootstrap" ? this.#arti?.refusal("dial") : undefined;
    const what = `Cannot dial while the transport is NotReady (${reason})`;
    return more ?? new TransportError(kindOf(reason), what, { op: "dial" });
  }

  /** Says anew whether it takes work. */
  judge(): void {
    if (this.#draining) this.#notReady("draining");
    else if (this.#traps.tooMany) this.#notReady("internal");
    else if (this.#fault !== undefined) this.#notReady(this.#fault);
    else if (this.#arti?.state === "bootstrapping") {
      this.#readiness.set({ state: "Degraded", reason: "arti_bootstrap" });
    } else if (this.#arti?.state === "late") this.#notReady("arti_bootstrap");
    else if (this.#arti !== undefined) this.#readiness.set({ state: "Ready" });
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
