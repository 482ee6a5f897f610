/**
 * One suite in `RESULTS.md`: its tables and charts.
 *
 * @module
 */

import { type Bar, type Curve, curveChart, ratioChart, valueChart } from "./chart.ts";
import { type BenchRuntime, reached, type Row } from "./record.ts";
import { REMARKS, SUITES } from "./remarks.ts";

/** The rows of one suite, by runtime. */
export interface Both {
  readonly runtimes: readonly BenchRuntime[];
  readonly rows: ReadonlyMap<BenchRuntime, readonly Row[]>;
}

/** Text in Markdown, and the charts it shows by name. */
export interface Section {
  readonly text: string;
  readonly charts: ReadonlyMap<string, string>;
}

/** Makes a section. */
export function section(suite: string, both: Both): Section {
  const { title, text, apart } = SUITES[suite] ?? { title: suite, text: "", apart: false };
  const charts = new Map<string, string>();
  const parts = [`## ${title}`, text];
  const groups = apart === true
    ? both.runtimes.map((runtime): Both => ({
      runtimes: [runtime],
      rows: new Map([[runtime, both.rows.get(runtime) ?? []]]),
    }))
    : [both];
  for (const group of groups) {
    const name = apart === true ? `${suite}_${group.runtimes[0]}` : suite;
    if (apart === true) parts.push(`### ${group.runtimes[0]}`);
    const lines = merge(group);
    for (const [kind, found] of sorted(lines)) {
      const chart = kind === "curves"
        ? curves(found, group, title)
        : [bars(kind, found, group, title)];
      chart.forEach((svg, i) => {
        const file = `${name}_${kind}${i === 0 ? "" : `_${i + 1}`}`;
        charts.set(file, svg);
        parts.push(`![${title}](charts/${file}.svg)`);
      });
      parts.push(table(kind, found, group));
    }
    parts.push(remarks(lines));
  }
  return { text: parts.filter((part) => part !== "").join("\n\n"), charts };
}

/** One row of each runtime that has it; the first one tells what it is. */
interface Line {
  readonly id: string;
  readonly first: Row;
  readonly of: ReadonlyMap<BenchRuntime, Row>;
}

type Kind = "ratios" | "curves" | "figures";

function merge({ runtimes, rows }: Both): Line[] {
  const lines = new Map<string, Map<BenchRuntime, Row>>();
  for (const runtime of runtimes) {
    for (const row of rows.get(runtime) ?? []) {
      const line = lines.get(row.id) ?? new Map<BenchRuntime, Row>();
      lines.set(row.id, line.set(runtime, row));
    }
  }
  return [...lines].map(([id, of]) => ({ id, of, first: [...of.values()][0] as Row }));
}

function sorted(lines: readonly Line[]): [Kind, Line[]][] {
  const kindOf = ({ of }: Line): Kind => {
    const rows = [...of.values()];
    if (rows.some(({ series }) => series !== undefined)) return "curves";
    return rows.some(({ ratio }) => ratio !== null) ? "ratios" : "figures";
  };
  const kinds: readonly Kind[] = ["ratios", "curves", "figures"];
  return kinds.map((kind): [Kind, Line[]] => [kind, lines.filter((line) => kindOf(line) === kind)])
    .filter(([, found]) => found.length > 0);
}

function bars(kind: Kind, lines: readonly Line[], { runtimes }: Both, title: string): string {
  const ratios = kind === "ratios";
  const made = lines.map(({ first, of }): Bar => ({
    label: first.against === "" ? first.work : `${first.work} / ${first.against}`,
    values: runtimes.map((name) =>
      (ratios ? of.get(name)?.ratio : of.get(name)?.ours) ?? undefined
    ),
    goals: runtimes.map((name) => of.get(name)?.goal ?? undefined),
  }));
  if (ratios) return ratioChart(`${title}: times better; a dark mark is the goal`, runtimes, made);
  const units = new Set(lines.map(({ first }) => first.unit));
  return valueChart(
    `${title}: figures`,
    runtimes,
    made,
    units.size === 1 ? [...units][0] ?? "" : "",
  );
}

/** One chart for each unit, with a curve for each work and runtime. */
function curves(lines: readonly Line[], { runtimes }: Both, title: string): string[] {
  const units = [...new Set(lines.map(({ first }) => first.unit))];
  return units.map((unit) => {
    const found = new Map<string, { x: number; y: number }[]>();
    for (const runtime of runtimes) {
      for (const { of } of lines) {
        const row = of.get(runtime);
        if (row?.series === undefined || row.unit !== unit) continue;
        const label = runtimes.length > 1 ? `${lineName(row)}, ${runtime}` : lineName(row);
        found.set(label, [...(found.get(label) ?? []), row.series]);
      }
    }
    const made = [...found].map(([label, points]): Curve => ({
      label,
      points: points.toSorted((a, b) => a.x - b.x),
    }));
    return curveChart(title, made, "", unit);
  });
}

/** Rows of one curve share what stands before the last comma. */
function lineName({ work }: Row): string {
  const at = work.lastIndexOf(",");
  return at < 0 ? work : work.slice(0, at);
}

function table(kind: Kind, lines: readonly Line[], { runtimes }: Both): string {
  const compared = kind !== "figures" && lines.some(({ first }) => first.peer !== null);
  const noted = lines.some(({ of }) => [...of.values()].some(({ note }) => note !== undefined));
  const head = [
    "work",
    ...(compared ? ["against"] : []),
    ...runtimes.flatMap((name) => compared ? [name, "other", "ratio"] : [name]),
    ...(noted ? ["note"] : []),
  ];
  const body = lines.map(({ first, of }) => [
    first.work,
    ...(compared ? [first.against] : []),
    ...runtimes.flatMap((name) => {
      const row = of.get(name);
      const cells = row === undefined ? ["–", "", ""] : [
        `${figure(row.ours)} ${row.unit}`,
        row.peer === null ? "" : figure(row.peer),
        verdict(row),
      ];
      return compared ? cells : cells.slice(0, 1);
    }),
    ...(noted ? [[...new Set([...of.values()].map(({ note }) => note ?? ""))].join("; ")] : []),
  ]);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

function verdict(row: Row): string {
  if (row.ratio === null) return "";
  const ok = reached(row);
  const ratio = row.ratio.toFixed(row.ratio < 10 ? 2 : 1);
  if (ok === undefined) return ratio;
  return ok ? `**${ratio}**, goal ${row.goal}: reached` : `**${ratio}**, goal ${row.goal}: MISSED`;
}

function remarks(lines: readonly Line[]): string {
  return lines.flatMap(({ id, first, of }) => {
    const keys = [id, ...[...of.keys()].map((name) => `${name}:${id}`)];
    return keys.filter((key) => key in REMARKS).map((key) => {
      const runtime = key === id ? "" : ` (${key.slice(0, key.indexOf(":"))})`;
      const name = first.against === "" ? first.work : `${first.work} / ${first.against}`;
      return `- ${name}${runtime}: ${REMARKS[key]}`;
    });
  }).join("\n");
}

/** Three digits and more where they tell something. */
function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  if (size === 0) return "0";
  return size < 0.01 ? value.toPrecision(2) : value.toFixed(size < 10 ? 2 : 1);
}
