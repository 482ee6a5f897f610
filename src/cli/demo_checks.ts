/**
 * What must hold for the demonstration to end with exit code 0.
 *
 * @module
 */

import type { CheckLine, DemoReport } from "./demo_report.ts";
import { bytesText } from "./figures.ts";

/** The findings that are judged. */
export type Findings = Pick<
  DemoReport,
  "transfer" | "memory" | "readiness" | "refusals" | "honest"
>;

/**
 * Judges the findings.
 *
 * @param findings What was seen.
 * @param exitCode How the receiver ended after it was told to drain.
 */
export function checksOf(findings: Findings, exitCode: number): CheckLine[] {
  const { transfer, memory, readiness, refusals, honest } = findings;
  const { sender, receiver, stored } = transfer.sha256;
  const states = readiness.map(({ to, reason }) => reason === undefined ? to : `${to}: ${reason}`);
  const refused = refusals.filter(({ held }) => held).length;
  return [
    {
      name: "SHA-256 of sender, receiver and stored file are equal",
      held: sender === receiver && receiver === stored,
      found: sender === stored ? sender : `${sender} / ${receiver} / ${stored}`,
    },
    {
      name: `memory of the receiver stays within ${bytesText(memory.bound)} above idle`,
      held: memory.aboveIdle <= memory.bound,
      found: bytesText(memory.aboveIdle),
    },
    {
      name: "everything that must be refused is refused, as expected",
      held: refused === refusals.length,
      found: `${refused} of ${refusals.length}`,
    },
    {
      name: "the honest connection loses nothing",
      held: honest.held,
      found: `${honest.confirmed} of ${honest.sent} streams confirmed, ${honest.closed}`,
    },
    {
      name: "the receiver becomes ready, and drains",
      held: states.join(", ") === "Ready, NotReady: draining" && exitCode === 0,
      found: `${states.join(", ")}; exit code ${exitCode}`,
    },
  ];
}
