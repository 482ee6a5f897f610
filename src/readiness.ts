/**
 * Whether a transport can take work, with stable states and reasons. Source: observability §3.
 *
 * @module
 */

/** The reasons beside a state that is not `Ready`. Frozen. */
export type ReadinessReason =
  | "starting"
  | "bind_failed"
  | "tls_config_missing"
  | "tls"
  | "arti_bootstrap"
  | "pq_policy"
  | "draining"
  | "internal";

/** `Ready`, or what is wrong. While not `Ready`, new dials and accepts are refused. */
export type Readiness =
  | { readonly state: "Ready" }
  | { readonly state: "Degraded" | "NotReady"; readonly reason: ReadinessReason };

/** One change of state. */
export interface ReadinessTransition {
  /** The state before. */
  readonly from: Readiness;
  /** The state now. */
  readonly to: Readiness;
  /** When, ISO 8601. */
  readonly ts: string;
}

/** Holds the state and tells each change once. Setting the state it is in tells nothing. */
export class ReadinessState {
  #current: Readiness = Object.freeze({ state: "NotReady", reason: "starting" });
  readonly #onChange: (transition: ReadinessTransition) => void;

  /** @param onChange Called once a transition; must not throw. */
  constructor(onChange: (transition: ReadinessTransition) => void) {
    this.#onChange = onChange;
  }

  /** The state now. */
  get current(): Readiness {
    return this.#current;
  }

  /** Whether new dials and accepts are let in. */
  get ready(): boolean {
    return this.#current.state === "Ready";
  }

  /** Takes a new state. */
  set(to: Readiness): void {
    const from = this.#current;
    if (from.state === to.state && reasonOf(from) === reasonOf(to)) return;
    this.#current = Object.freeze({ ...to });
    this.#onChange({ from, to: this.#current, ts: new Date().toISOString() });
  }
}

/** The reason beside a state, if it has one. */
export function reasonOf(readiness: Readiness): ReadinessReason | undefined {
  return readiness.state === "Ready" ? undefined : readiness.reason;
}
