/**
 * The figures of `top` as lines for a terminal.
 *
 * @module
 */

import { bytesText, msText } from "./figures.ts";
import { tableLines } from "./table.ts";
import type { Counted, Figures } from "./top_figures.ts";

/** Where the figures are from, and how it is. */
export interface Subject {
  /** Address or file. */
  readonly source: string;
  /** `Ready`, `NotReady (draining)` and so on; `undefined` where it is not known. */
  readonly readiness: string | undefined;
  /** When, for people. */
  readonly time: string;
}

/**
 * One screen.
 *
 * @param columns Longer lines are cut, so that a screen has as many rows as lines.
 */
export function screenOf(
  { source, readiness, time }: Subject,
  f: Figures,
  columns: number,
): string[] {
  const connections = Object.values(f.connections).reduce((a, b) => a + b, 0);
  const perBackend = Object.entries(f.connections).map(([name, n]) => `${name} ${n}`).join(", ");
  const { p50, p95, p99, count } = f.handshake;
  const rows = [
    ["", "total", "a second"],
    ["accepts", whole(f.accepts.total), rate(f.accepts)],
    ["dials", whole(f.dials.total), rate(f.dials)],
    ["  failed", whole(f.dialErrors.total), rate(f.dialErrors)],
    ["bytes in", bytesText(f.bytesIn.total), rate(f.bytesIn, bytesText)],
    ["bytes out", bytesText(f.bytesOut.total), rate(f.bytesOut, bytesText)],
    ["frames in", whole(f.frames.total), rate(f.frames)],
    ["read pauses", whole(f.pauses.total), rate(f.pauses)],
    ["", "", ""],
    ["rejects", "", ""],
    ...Object.entries(f.rejects).map(reasonRow),
    ["codec rejects", "", ""],
    ...Object.entries(f.codecRejects).filter(([, { total }]) => total > 0).map(reasonRow),
  ];
  const lines = [
    `${source}  ${readiness ?? "readiness unknown"}  ${time}`,
    "",
    `connections  ${connections}${perBackend === "" ? "" : ` (${perBackend})`}`,
    `handshakes   ${whole(count)}: p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}`,
    `queues       ${Object.entries(f.queues).map(([name, n]) => `${name} ${n}`).join(", ")}`,
    "",
    ...tableLines(rows, ["left", "right", "right"]),
  ];
  return lines.map((line) => line.slice(0, Math.max(1, columns - 1)));
}

function reasonRow([reason, counted]: [string, Counted]): string[] {
  return [`  ${reason}`, whole(counted.total), rate(counted)];
}

function whole(n: number): string {
  return String(Math.round(n));
}

function ms(value: number | null): string {
  return value === null ? "-" : msText(value);
}

function rate(
  { perSecond }: Counted,
  text: (n: number) => string = (n) => n.toFixed(n < 100 ? 1 : 0),
): string {
  return perSecond === null ? "-" : text(text === bytesText ? Math.round(perSecond) : perSecond);
}
