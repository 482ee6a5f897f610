/**
 * Tables of figures, the comparisons in them, and their rows in a record.
 *
 * @module
 */

import { reached, type Row } from "../report/record.ts";
import { rate, type Timing } from "./paired.ts";

/** One comparison within a table. */
export interface Ratio {
  /** Name of our timing. */
  readonly ours: string;
  /** What it is compared with: another timing, or a bound. */
  readonly against: string;
  /** Figure of the other, in the table's unit. */
  readonly peer: number;
  /** Above 1 when we are better. */
  readonly ratio: number;
  /** What the ratio should be at least. */
  readonly goal: number | null;
}

/** Cases that were measured together. */
export interface Table {
  /** Stable, lower case; ids of rows begin with it. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly timings: readonly Timing[];
  readonly ratios: readonly Ratio[];
}

/** How many times the rate of `other` ours is, by rounds. */
export function against(ours: Timing, other: Timing, goal: number | null = null): Ratio {
  return { ours: ours.name, against: other.name, peer: other.ns, ratio: rate(ours, other), goal };
}

/** How many times ours goes into what is allowed; no more than 100, as a figure may be nothing at all. */
export function within(ours: Timing, most: number, bound: string): Ratio {
  const ratio = most / Math.max(ours.ns, most / 100);
  return { ours: ours.name, against: bound, peer: most, ratio, goal: 1 };
}

/** The rows of a table: its comparisons, then the timings that are in none. */
export function rows({ id, title, unit, timings, ratios }: Table): Row[] {
  const made = ratios.map(({ ours, against, peer, ratio, goal }): Row => {
    const timing = timings.find(({ name }) => name === ours) as Timing;
    return {
      id: slug(`${id}.${ours}-vs-${against}`),
      work: `${title}: ${ours}`,
      ours: timing.ns,
      peer,
      against,
      unit,
      ratio,
      goal,
      rounds: timing.rounds.length,
    };
  });
  const compared = new Set(ratios.flatMap(({ ours, against }) => [ours, against]));
  const alone = timings.filter(({ name }) => !compared.has(name)).map((
    { name, ns, rounds },
  ): Row => ({
    id: slug(`${id}.${name}`),
    work: `${title}: ${name}`,
    ours: ns,
    peer: null,
    against: "",
    unit,
    ratio: null,
    goal: null,
    rounds: Math.max(1, rounds.length),
  }));
  return [...made, ...alone];
}

/** A table in lines. */
export function lines(table: Table): string[] {
  const { title, unit, timings } = table;
  const out = [`\n${title} (${unit}; processor time, median of the rounds)`];
  for (const { name, ns } of timings) out.push(`  ${name.padEnd(44)}${figure(ns).padStart(12)}`);
  for (const row of rows(table)) {
    if (row.ratio === null) continue;
    const name = `${row.work.slice(title.length + 2)} / ${row.against}`;
    const goal = row.goal === null ? "" : `  at least ${row.goal}`;
    const ok = reached(row);
    const verdict = ok === undefined ? "" : ok ? "  reached" : "  MISSED";
    out.push(`  ${name.padEnd(44)}${figure(row.ratio).padStart(12)} x${goal}${verdict}`);
  }
  return out;
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll("µ", "u").replace(/[^a-z0-9.]+/g, "_").replace(/_+$/, "");
}

function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return value.toFixed(value < 10 ? 2 : 1);
}
