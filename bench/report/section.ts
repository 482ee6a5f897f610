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
      const tables = kind === "curves" ? byWork(found) : [[title, found] as const];
      tables.forEach(([heading, rows], i) => {
        const file = `${name}_${kind}${i === 0 ? "" : `_${i + 1}`}`;
        charts.set(
          file,
          kind === "curves" ? curves(rows, group, heading) : bars(kind, rows, group, title),
        );
        parts.push(...(kind === "curves" ? [`### ${heading}`] : []));
        parts.push(`![${heading}](charts/${file}.svg)`, table(kind, rows, group));
      });
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
  const kinds: readonly Kind[] = ["ratios", "figures", "curves"];
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

/** Rows with the same work are one curve. */
function byWork(lines: readonly Line[]): [string, Line[]][] {
  const works = [...new Set(lines.map(({ first }) => first.work))];
  return works.map((work) => [work, lines.filter(({ first }) => first.work === work)]);
}

/** A curve for each runtime, and one for what it is compared with there. */
function curves(lines: readonly Line[], { runtimes }: Both, title: string): string {
  const made: Curve[] = [];
  for (const runtime of runtimes) {
    const rows = lines.map(({ of }) => of.get(runtime)).filter((row) => row !== undefined);
    const points = (pick: (row: Row) => number | null): Curve["points"] =>
      rows.flatMap((row) => {
        const y = pick(row);
        return row.series === undefined || y === null ? [] : [{ x: row.series.x, y }];
      }).toSorted((a, b) => a.x - b.x);
    const against = rows.find(({ peer }) => peer !== null)?.against;
    made.push({ label: runtime, points: points((row) => row.series?.y ?? null) });
    if (against !== undefined) {
      made.push({ label: `${against}, ${runtime}`, points: points((row) => row.peer) });
    }
  }
  return curveChart(
    title,
    made.filter(({ points }) => points.length > 0),
    lines[0]?.first.unit ?? "",
  );
}

function table(kind: Kind, lines: readonly Line[], { runtimes }: Both): string {
  const compared = kind !== "figures" && lines.some(({ first }) => first.peer !== null);
  const noted = lines.some(({ of }) => [...of.values()].some(({ note }) => note !== undefined));
  const curve = kind === "curves";
  const head = [
    curve ? "of" : "work",
    ...(compared ? ["against"] : []),
    ...runtimes.flatMap((name) => compared ? [name, "other", "ratio"] : [name]),
    ...(noted ? ["note"] : []),
  ];
  const body = lines.map(({ first, of }) => [
    curve ? whole(first.series?.x ?? NaN) : first.work,
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

function whole(value: number): string {
  return value.toLocaleString("en").replaceAll(",", " ");
}

/** Three digits and more where they tell something. */
function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return whole(Math.round(value));
  if (size === 0) return "0";
  return size < 0.01 ? value.toPrecision(2) : value.toFixed(size < 10 ? 2 : 1);
}
