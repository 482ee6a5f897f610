/**
 * What metrics say after a release, and of a canary: pure judgements on readings.
 *
 * @module
 */

import type { Policy } from "../governance/policy.ts";
import { type Figures, figuresOf, type Look } from "./top_figures.ts";
import type { Told } from "./top_source.ts";

/** One check and what came of it. */
export interface Finding {
  readonly check: string;
  readonly holds: boolean;
  readonly how: string;
}

/** One reading of a server. */
export interface Reading {
  readonly look: Look;
  /** `undefined` where its probe did not answer. */
  readonly readiness: Told | undefined;
}

/** Fewer handshakes say nothing of a percentile. */
const LEAST_HANDSHAKES = 20;

/**
 * Judges the readings of an audit.
 *
 * @param baseline What is usual: the metrics before the release, or all that was before the first reading.
 * @param readings In order; the first is the start.
 * @param policy The policy, for its bounds.
 */
export function judgeAudit(
  baseline: Look,
  readings: readonly Reading[],
  policy: Pick<Policy, "canary">,
): Finding[] {
  const [first, last] = [readings[0]!, readings.at(-1)!];
  const states = readings.map(({ readiness }) => readiness);
  const ready = states.filter((one) => one?.state === "Ready").length;
  const notReady = states.findIndex((one) => one === undefined || one.state === "NotReady");
  const usual = figuresOf(baseline, undefined);
  const window = figuresOf(last.look, first.look);
  const shrunk = readings.some(({ look }, i) =>
    i > 0 && counted(look) < counted(readings[i - 1]!.look)
  );
  const lost = states[notReady];
  return [
    {
      check: "readiness answers 200",
      holds: ready === states.length,
      how: `${ready} of ${states.length} probes`,
    },
    {
      check: "no change to NotReady",
      holds: notReady === -1 && !shrunk,
      how: shrunk
        ? "its counters went back: it was started anew"
        : notReady === -1
        ? "none seen"
        : lost === undefined
        ? `no answer at probe ${notReady + 1}`
        : `NotReady (${lost.reason ?? "no reason"}) at probe ${notReady + 1}`,
    },
    handshakes("handshake times as before", usual, window, policy.canary.handshake_p95_worse),
    rejects(ratioOf(usual), ratioOf(rise(first.look, last.look)), policy.canary.error_ratio),
  ];
}

/**
 * Judges a canary: whether it must be stopped.
 *
 * @param old Metrics of what runs.
 * @param canary Metrics of what is to replace it.
 * @param policy The policy, for its bounds.
 */
export function judgeCanary(old: Look, canary: Look, policy: Pick<Policy, "canary">): Finding[] {
  const [before, now] = [figuresOf(old, undefined), figuresOf(canary, undefined)];
  const { handshake_p95_worse, error_ratio } = policy.canary;
  const { errors, of } = errorsOf(now);
  const ratio = of === 0 ? 0 : errors / of;
  return [
    handshakes("handshake p95", before, now, handshake_p95_worse),
    {
      check: "errors",
      holds: of > 0 && ratio <= error_ratio,
      how: of === 0
        ? "no connection: that says nothing"
        : `${errors} of ${of}, ${percent(ratio)}; at most ${percent(error_ratio)}`,
    },
  ];
}

function handshakes(check: string, before: Figures, now: Figures, worse: number): Finding {
  const [old, fresh] = [before.handshake, now.handshake];
  if (old.count === 0 && fresh.count === 0) return { check, holds: true, how: "none: no TLS here" };
  if (old.count < LEAST_HANDSHAKES || fresh.count < LEAST_HANDSHAKES) {
    const how =
      `${old.count} before and ${fresh.count} now: ${LEAST_HANDSHAKES} each are needed to tell`;
    return { check, holds: false, how };
  }
  const [a, b] = [old.p95 ?? 0, fresh.p95 ?? 0];
  return {
    check,
    holds: b <= a * (1 + worse),
    how: `p95 ${a} ms before, ${b} ms now of ${fresh.count}; at most ${percent(worse)} more`,
  };
}

function rejects(usual: number, now: number, slack: number): Finding {
  return {
    check: "rejected_total not above its baseline",
    holds: now <= usual + slack,
    how: `${percent(now)} of connections, ${percent(usual)} before; at most ${percent(slack)} more`,
  };
}

/** The part of all that asked for a connection which was refused. */
function ratioOf(
  { accepts, dials, rejects }: Pick<Figures, "accepts" | "dials" | "rejects">,
): number {
  const refused = Object.values(rejects).reduce((sum, { total }) => sum + total, 0);
  const asked = accepts.total + dials.total;
  return refused === 0 ? 0 : refused / Math.max(asked, refused);
}

/** What was counted between two looks. */
function rise(from: Look, to: Look): Pick<Figures, "accepts" | "dials" | "rejects"> {
  const [a, b] = [figuresOf(from, undefined), figuresOf(to, undefined)];
  const less = (now: number, before = 0) => ({ total: now - before, perSecond: null });
  return {
    accepts: less(b.accepts.total, a.accepts.total),
    dials: less(b.dials.total, a.dials.total),
    rejects: Object.fromEntries(
      Object.entries(b.rejects).map(([reason, { total }]) => [
        reason,
        less(total, a.rejects[reason]?.total),
      ]),
    ),
  };
}

/** Dials that failed and handshakes that did; who is refused for a limit is no error. */
function errorsOf(
  { accepts, dials, dialErrors, rejects }: Figures,
): { errors: number; of: number } {
  const failed = (rejects["tls"]?.total ?? 0) + (rejects["timeout"]?.total ?? 0);
  // a failed dial is counted by its reason as well
  const errors = Math.max(dialErrors.total, failed);
  return { errors, of: accepts.total + dials.total };
}

/** A counter that only a start anew lowers. */
function counted(look: Look): number {
  const { accepts, dials, bytesIn } = figuresOf(look, undefined);
  return accepts.total + dials.total + bytesIn.total;
}

function percent(part: number): string {
  return `${Math.round(part * 1e5) / 1e3} %`;
}
