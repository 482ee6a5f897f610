/**
 * What a row reports, and the table of them.
 *
 * @module
 */

/** The outcome of one attack. */
export interface RowReport {
  readonly name: string;
  /** What was done, in numbers. */
  readonly load: string;
  /** What the server refused, by reason; of both waves. */
  readonly refused: Readonly<Record<string, number>>;
  /** 99th percentiles of the honest client, in milliseconds: requests, and whole dials. */
  readonly honest: {
    readonly aloneMs: number;
    readonly besideMs: number;
    readonly dialAloneMs: number;
    readonly dialBesideMs: number;
    /** Share of its operations that succeeded during the attack, 0 to 1. */
    readonly success: number;
    readonly failures: Readonly<Record<string, number>>;
  } | undefined;
  /** Resident memory in bytes: before, most during the waves, after each wave and a collection. */
  readonly resident: { before: number; peak: number; after: readonly number[] } | undefined;
  /** Heap and external memory after a collection, in bytes. */
  readonly heap: { before: number; after: number } | undefined;
  readonly descriptors: { before: number; peak: number; after: number } | undefined;
  /** Further figures of the row. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** What did not hold; empty: passed. */
  readonly faults: readonly string[];
  readonly seconds: number;
  /** When it ran, and how busy the machine was then; its load is the average of a minute. */
  readonly ran?: string;
}

const MIB = 1_048_576;

const COLUMNS: readonly [string, (row: RowReport) => string][] = [
  ["attack", ({ name }) => name],
  ["load", ({ load }) => load],
  ["refused", ({ refused }) => pairs(refused) || "-"],
  [
    "honest p99 ms, alone / beside",
    ({ honest }) => honest === undefined ? "-" : `${ms(honest.aloneMs)} / ${ms(honest.besideMs)}`,
  ],
  [
    "dial p99 ms",
    ({ honest }) =>
      honest === undefined ? "-" : `${ms(honest.dialAloneMs)} / ${ms(honest.dialBesideMs)}`,
  ],
  [
    "success",
    ({ honest }) => honest === undefined ? "-" : `${(honest.success * 100).toFixed(1)} %`,
  ],
  [
    "RSS MiB, before / peak / after each wave",
    ({ resident: r }) =>
      r === undefined ? "-" : `${mib(r.before)} / ${mib(r.peak)} / ${r.after.map(mib).join(" ")}`,
  ],
  ["heap MiB", ({ heap }) => heap === undefined ? "-" : `${mib(heap.before)} / ${mib(heap.after)}`],
  [
    "descriptors",
    ({ descriptors: d }) => d === undefined ? "-" : `${d.before} / ${d.peak} / ${d.after}`,
  ],
  ["ran (UTC), machine load", ({ ran }) => ran ?? "-"],
  ["verdict", ({ faults }) => faults.length === 0 ? "pass" : `FAIL (${faults.length})`],
];

/**
 * The rows as one Markdown table, and below it what did not hold.
 *
 * @param rows In their order.
 */
export function table(rows: readonly RowReport[]): string {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, text]) => text(row))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const print = (line: readonly string[]): string =>
    `| ${line.map((text, i) => text.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = print(widths.map((width) => "-".repeat(width)));
  const lines = [print(cells[0]!), rule, ...cells.slice(1).map(print)];
  for (const { name, faults } of rows) {
    for (const fault of faults) lines.push("", `${name}: ${fault}`);
  }
  return lines.join("\n");
}

/** Non-zero counts as `name n, name n`. */
export function pairs(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).filter(([, n]) => n !== 0)
    .map(([name, n]) => `${name} ${n}`).join(", ");
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
