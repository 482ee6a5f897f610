/**
 * The demonstration's findings as a person reads them.
 *
 * @module
 */

import type { AttemptLine, DemoReport } from "./demo_report.ts";
import { bytesText, msText, shareText } from "./figures.ts";
import { tableLines } from "./table.ts";

/** Lays out a report. */
export function demoText(report: DemoReport): string {
  return [
    "Transfer",
    ...indented(tableLines(transferRows(report))),
    "",
    "Refusals (by the receiver's close events and counters)",
    ...indented(tableLines([HEADINGS, ...report.refusals.map(refusalRow)], ALIGN)),
    ...report.refusals.flatMap(({ id, why }) =>
      why === undefined ? [] : [`  FAILED ${id}: ${why}`]
    ),
    "",
    "Checks",
    ...indented(
      tableLines(report.checks.map(({ name, held, found }) => [mark(held), name, found])),
    ),
    "",
    report.held ? "All of it held." : "NOT all of it held.",
    "",
  ].join("\n");
}

function transferRows(report: DemoReport): string[][] {
  const { receiver, sender, transfer, memory, readiness } = report;
  const transitions = readiness.map(({ from, to, reason }) => {
    return `${from} -> ${to}${reason === undefined ? "" : ` (${reason})`}`;
  });
  return [
    ["file", transfer.file],
    ["receiver", `pid ${receiver.pid}, ${receiver.runtime} ${receiver.version}`],
    ["sender", `pid ${sender.pid}, ${sender.runtime} ${sender.version}`],
    [
      "bytes",
      `${transfer.bytes} (${bytesText(transfer.bytes)}; ${bytesText(transfer.wireBytes)} sent)`,
    ],
    ["frames", String(transfer.frames)],
    ["compressed", shareText(transfer.compressedFrames, transfer.frames)],
    ["rate", `${transfer.mibPerSecond.toFixed(1)} MiB/s`],
    ["handshake", `${msText(transfer.handshakeMs)} (${transfer.tls ?? "no TLS"})`],
    ["start to ready", msText(transfer.startToReadyMs)],
    ["SHA-256 sender", transfer.sha256.sender],
    ["SHA-256 receiver", transfer.sha256.receiver],
    ["readiness", transitions.join(", ")],
    ["memory", `${bytesText(memory.idle)} idle, ${bytesText(memory.peak)} at most (${memory.by})`],
  ];
}

const HEADINGS = ["", "tried", "kind", "reason", "counted", "after", "memory"];
const ALIGN = ["left", "left", "left", "left", "right", "right", "right"] as const;

function refusalRow({ tried, observed, held }: AttemptLine): string[] {
  if (observed === undefined) return [mark(held), tried, "-", "-", "-", "-", "-"];
  const { kind, reason, counted, refusedAfterMs, memory } = observed;
  const cost = bytesText(Math.max(0, memory.rss));
  return [mark(held), tried, kind, reason, String(counted), msText(refusedAfterMs), cost];
}

function mark(held: boolean): string {
  return held ? "ok" : "FAILED";
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
