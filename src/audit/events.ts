/**
 * What is audited: three events, with these fields and no others. Frozen.
 *
 * @module
 */

import {
  type Readiness,
  type ReadinessReason,
  type ReadinessTransition,
  reasonOf,
} from "../readiness.ts";

/** A policy (a cap, a default, an invariant) was changed by a governed decision. */
export interface TransportPolicyChanged {
  /** Which event this is. */
  readonly event: "TransportPolicyChanged";
  /** Class of the change: 0 caps and invariants, 1 defaults, 2 documents, 3 configuration. */
  readonly class: 0 | 1 | 2 | 3;
  /** The value before. */
  readonly old: string;
  /** The value now. */
  readonly new: string;
  /** Who did it. */
  readonly actor: string;
  /** Where it was reviewed. */
  readonly pr: string;
  /** The commit that did it. */
  readonly commit: string;
  /** When, ISO 8601 with its zone. */
  readonly ts: string;
}

/** A configuration was offered to a running transport. */
export interface TransportConfigReloaded {
  /** Which event this is. */
  readonly event: "TransportConfigReloaded";
  /** What became of it. */
  readonly result: "applied" | "rejected" | "rebind_required";
  /** Version of the configuration in force after it. */
  readonly version: number;
}

/** A transport's readiness changed. */
export interface TransportReadinessTransition {
  /** Which event this is. */
  readonly event: "TransportReadinessTransition";
  /** The state before. */
  readonly from: Readiness["state"];
  /** The state now. */
  readonly to: Readiness["state"];
  /** The reason of the state now; `null` for `Ready`, which has none. */
  readonly reason: ReadinessReason | null;
}

/** One audited event: a plain, frozen object that JSON can carry. */
export type AuditEvent =
  | TransportPolicyChanged
  | TransportConfigReloaded
  | TransportReadinessTransition;

/** The event of a change of readiness. */
export function transitionEvent({ from, to }: ReadinessTransition): TransportReadinessTransition {
  return {
    event: "TransportReadinessTransition",
    from: from.state,
    to: to.state,
    reason: reasonOf(to) ?? null,
  };
}
