/**
 * Tables of figures, and the ratios that have a goal.
 *
 * @module
 */

import type { Timing } from "./paired.ts";

/** One comparison. */
export interface Ratio {
  readonly id: string;
  readonly ratio: number;
  /** What it should be at least, or with `most` at most. */
  readonly target?: number | undefined;
  readonly most?: boolean;
}

/** Cases that were measured together. */
export interface Table {
  readonly title: string;
  readonly unit: string;
  readonly timings: readonly Timing[];
  readonly ratios: readonly Ratio[];
}

/** Whether a goal is reached; `undefined` without one. */
export function reached({ ratio, target, most }: Ratio): boolean | undefined {
  if (target === undefined) return undefined;
  return most ? ratio <= target : ratio >= target;
}

/** A table in lines. */
export function lines({ title, unit, timings, ratios }: Table): string[] {
  const out = [`\n${title} (${unit}; processor time, median of the rounds)`];
  for (const { name, ns } of timings) out.push(`  ${name.padEnd(40)}${figure(ns).padStart(12)}`);
  for (const one of ratios) {
    const { id, ratio, target, most } = one;
    const ok = reached(one);
    const goal = target === undefined ? "" : `  ${most ? "at most" : "at least"} ${target}`;
    const verdict = ok === undefined ? "" : ok ? "  reached" : "  MISSED";
    out.push(`  ${id.padEnd(40)}${figure(ratio).padStart(12)} x${goal}${verdict}`);
  }
  return out;
}

function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return value.toFixed(value < 10 ? 2 : 1);
}
