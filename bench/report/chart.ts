/**
 * Charts as SVG: ratios as bars on a logarithmic axis, shares as bars, and curves.
 *
 * Scales and paths are d3's; neither wants a document.
 *
 * @module
 */

import { scaleBand, scaleLinear, scaleLog, scaleSymlog } from "d3-scale";
import { line } from "d3-shape";

/** One bar. */
export interface Bar {
  readonly label: string;
  /** What one value each of the chart's groups is; `undefined` leaves a gap. */
  readonly values: readonly (number | undefined)[];
  /** Marked on the bar: what was to be reached. */
  readonly goals?: readonly (number | undefined)[];
}

/** One line of a curve chart. */
export interface Curve {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const COLOURS = [
  "#2f6fb0",
  "#d9822b",
  "#4a9a5b",
  "#9a4a8c",
  "#7a7a3a",
  "#b04040",
  "#40a0a0",
  "#606060",
];
const WIDTH = 900;
const LEFT = 400;
const RIGHT = 70;
const TOP = 54;
const BOTTOM = 30;

/** Ratios: to the right of 1 is better. A short dark line on a bar is its goal. */
export function ratioChart(title: string, groups: readonly string[], bars: readonly Bar[]): string {
  const values = bars.flatMap(({ values, goals = [] }) => [...values, ...goals]).filter(isNumber);
  const low = Math.min(0.5, ...values.map((value) => Math.max(value, 0.01)));
  const high = Math.max(2, ...values);
  const x = scaleLog().domain([low, high]).range([LEFT, WIDTH - RIGHT]).clamp(true);
  const ticks = [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000, 10_000];
  const shown = ticks.filter((tick) => tick >= low && tick <= high);
  return barChart(title, groups, bars, x, x(1), shown.map((tick) => [tick, `${tick} x`]));
}

/** Shares or sizes: bars from 0. */
export function valueChart(
  title: string,
  groups: readonly string[],
  bars: readonly Bar[],
  unit: string,
): string {
  const high = Math.max(1e-9, ...bars.flatMap(({ values }) => values).filter(isNumber));
  const x = scaleLinear().domain([0, high]).range([LEFT, WIDTH - RIGHT]).nice();
  return barChart(
    title,
    groups,
    bars,
    x,
    x(0),
    x.ticks(6).map((tick) => [tick, `${tick} ${unit}`]),
  );
}

/** Curves; an axis that spans far is logarithmic. */
export function curveChart(
  title: string,
  curves: readonly Curve[],
  yLabel: string,
): string {
  const height = 420;
  const legend = WIDTH - 260;
  const all = curves.flatMap(({ points }) => points);
  const x = axis(all.map((point) => point.x), [70, legend - 20]);
  const y = axis(all.map((point) => point.y), [height - 46, TOP]);
  const draw = line<{ x: number; y: number }>((point) => x.at(point.x), (point) => y.at(point.y));
  const parts = [
    ...x.ticks.map((tick) =>
      rule(x.at(tick), TOP, x.at(tick), height - 46) +
      text(x.at(tick), height - 30, short(tick), "middle")
    ),
    ...y.ticks.map((tick) =>
      rule(70, y.at(tick), legend - 20, y.at(tick)) + text(64, y.at(tick) + 4, short(tick), "end")
    ),
    text(10, TOP - 10, yLabel, "start"),
    ...curves.flatMap(({ label, points }, i) => {
      const colour = COLOURS[i % COLOURS.length] ?? "";
      return [
        `<path d="${draw([...points]) ?? ""}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map((point) =>
          `<circle cx="${at(x.at(point.x))}" cy="${at(y.at(point.y))}" r="3" fill="${colour}"/>`
        ),
        box(legend, TOP + i * 20, 12, 12, colour),
        text(legend + 18, TOP + i * 20 + 10, label, "start"),
      ];
    }),
  ];
  return frame(title, height, parts);
}

interface Scale {
  (value: number): number;
}

function barChart(
  title: string,
  groups: readonly string[],
  bars: readonly Bar[],
  x: Scale,
  zero: number,
  ticks: readonly (readonly [number, string])[],
): string {
  const height = TOP + BOTTOM + bars.length * (groups.length * 9 + 8);
  const y = scaleBand<number>().domain(bars.map((_, i) => i)).range([TOP, height - BOTTOM]);
  y.paddingInner(0.25);
  const thick = y.bandwidth() / groups.length;
  const parts = [
    ...ticks.map(([tick, label]) =>
      rule(x(tick), TOP - 4, x(tick), height - BOTTOM) +
      text(x(tick), height - BOTTOM + 16, label, "middle")
    ),
    rule(zero, TOP - 4, zero, height - BOTTOM, "#555"),
    ...groups.map((name, i) =>
      box(LEFT + i * 110, 30, 12, 12, COLOURS[i] ?? "") +
      text(LEFT + i * 110 + 18, 40, name, "start")
    ),
    ...bars.flatMap(({ label, values, goals }, row) => {
      const top = y(row) ?? 0;
      return [
        text(LEFT - 8, top + y.bandwidth() / 2 + 4, cut(label), "end"),
        ...values.flatMap((value, i) => {
          if (value === undefined) return [];
          const goal = goals?.[i];
          const from = top + i * thick;
          const end = x(value);
          const mark = goal === undefined
            ? ""
            : rule(x(goal), from, x(goal), from + thick, "#111", 2.5);
          const bar = box(
            Math.min(zero, end),
            from,
            Math.abs(end - zero),
            thick - 1,
            COLOURS[i] ?? "",
          );
          return [
            bar,
            mark,
            text(Math.max(zero, end) + 4, from + thick - 1.5, short(value), "start", 9),
          ];
        }),
      ];
    }),
  ];
  return frame(title, height, parts);
}

/** A scale that suits what it is to show. */
function axis(
  values: readonly number[],
  range: [number, number],
): { at: Scale; ticks: readonly number[] } {
  const low = Math.min(...values);
  const high = Math.max(...values, low + 1e-9);
  if (low > 0 && high / low > 8) {
    const log = scaleLog().domain([low, high]).range(range);
    const decades = log.ticks(6).filter((tick) =>
      Number.isInteger(Math.log10(tick) + 1e-9 | 0) && isRound(tick)
    );
    return { at: (value) => log(value), ticks: decades.length > 2 ? decades : log.ticks(5) };
  }
  if (low >= 0 && high > 1000) {
    const mixed = scaleSymlog().domain([0, high]).range(range);
    const steps = [0, ...Array.from({ length: 9 }, (_, i) => 10 ** i)].filter((step) =>
      step <= high
    );
    return { at: (value) => mixed(value), ticks: steps };
  }
  const plain = scaleLinear().domain([Math.min(0, low), high]).range(range).nice();
  return { at: (value) => plain(value), ticks: plain.ticks(6) };
}

function isRound(tick: number): boolean {
  return Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

function cut(label: string): string {
  return label.length <= 62 ? label : `${label.slice(0, 61)}…`;
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function at(value: number): string {
  return value.toFixed(1);
}

function rule(x1: number, y1: number, x2: number, y2: number, colour = "#ddd", width = 1): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${
    at(y2)
  }" stroke="${colour}" stroke-width="${width}"/>`;
}

function box(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${
    at(height)
  }" fill="${colour}"/>`;
}

function text(x: number, y: number, words: string, anchor: string, size = 11): string {
  const safe = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${at(x)}" y="${
    at(y)
  }" text-anchor="${anchor}" font-size="${size}">${safe}</text>`;
}

function frame(title: string, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${
      at(height)
    }" width="${WIDTH}" font-family="sans-serif" fill="#222">`,
    box(0, 0, WIDTH, height, "#fff"),
    text(10, 20, title, "start", 14),
    ...parts.filter((part) => part !== ""),
    "</svg>\n",
  ].join("\n");
}
