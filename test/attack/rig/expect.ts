/**
 * Sentences about what a server counted.
 *
 * @module
 */

import type { RejectReason } from "../../../mod.ts";
import type { ServerStats } from "./server.ts";

/** Two moments of one server. */
export interface Span {
  readonly before: ServerStats;
  readonly after: ServerStats;
}

/** Refusals for a reason between the two. */
export function refusals({ before, after }: Span, reason: RejectReason): number {
  return after.counters.rejected[reason] - before.counters.rejected[reason];
}

/** Expired deadlines of an operation between the two. */
export function timeouts({ before, after }: Span, op: string): number {
  return (after.counters.timeouts[op] ?? 0) - (before.counters.timeouts[op] ?? 0);
}

/** Nothing if both are the same; else a sentence. */
export function same(what: string, got: number, wanted: number): string[] {
  return got === wanted ? [] : [`${what}: ${got}, not ${wanted}`];
}

/** Nothing if `got` is in the range; else a sentence. */
export function within(what: string, got: number, least: number, most: number): string[] {
  if (got >= least && got <= most) return [];
  return [`${what}: ${round(got)}, not ${round(least)} to ${round(most)}`];
}

/** No refusal but for these reasons. */
export function onlyFor(span: Span, ...reasons: readonly RejectReason[]): string[] {
  const all = Object.keys(span.after.counters.rejected) as RejectReason[];
  return all.filter((reason) => !reasons.includes(reason)).flatMap((reason) =>
    same(`refused for ${reason}`, refusals(span, reason), 0)
  );
}

/** The same for a time, which counts at full figures only. */
export function timely(
  { scale }: { readonly scale: string },
  what: string,
  got: number,
  least: number,
  most: number,
): string[] {
  return scale === "full" ? within(what, got, least, most) : [];
}

function round(n: number): string {
  return Number.isInteger(n) ? String(n) : n.toFixed(1);
}
