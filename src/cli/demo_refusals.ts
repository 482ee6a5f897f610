/**
 * Making the attempts, and reading from the receiver what came of each.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import type { TransportCounters } from "../counters.ts";
import { Transport } from "../transport.ts";
import { type Attempt, ATTEMPTS } from "./demo_attempts.ts";
import type { Honest } from "./demo_honest.ts";
import { raiseByArgument, raiseByConfiguration } from "./demo_raised_caps.ts";
import type { ClosedLine, Receiver } from "./demo_receiver.ts";
import type { AttemptLine, Observed } from "./demo_report.ts";
import { rounded } from "./figures.ts";

/** How long a refusal may take before the attempt counts as let through, in milliseconds. */
const REFUSAL_MS = 4_000;
/** How long the receiver may take to tell its state. */
const STATUS_MS = 10_000;
/** More memory than this for one refusal is a refusal that came too late. */
const MOST_MEMORY = 32 * 1_048_576;

/** Where the attempts go. */
export interface Target {
  readonly receiver: Receiver;
  /** `host:port`. */
  readonly address: string;
  /** Its certificate. */
  readonly ca: string;
}

/**
 * Makes all attempts, one after the other, with the honest connection at work in between.
 *
 * @param target The receiver.
 * @param honest The connection that must not notice.
 * @param signal Stops in between.
 */
export async function tryAll(
  target: Target,
  honest: Honest,
  signal: AbortSignal,
): Promise<AttemptLine[]> {
  const lines: AttemptLine[] = [];
  for (const attempt of ATTEMPTS) {
    signal.throwIfAborted();
    const beside = honest.sendOne();
    lines.push(judged(attempt, await make(attempt, target)));
    await beside;
  }
  return lines;
}

async function make(attempt: Attempt, target: Target): Promise<Observed | undefined> {
  switch (attempt.how.by) {
    case "configuration":
      return raiseByConfiguration();
    case "argument":
      return raiseByArgument();
    case "silence":
      return await against(target, attempt, undefined);
    case "bytes":
      return await against(target, attempt, attempt.how.bytes());
  }
}

/** Connects, sends the bytes if there are any, and waits for the receiver's close event. */
async function against(
  target: Target,
  attempt: Attempt,
  bytes: Uint8Array | undefined,
): Promise<Observed | undefined> {
  const { receiver, address, ca } = target;
  const before = await receiver.status(STATUS_MS);
  const transport = new Transport({ bind_addr: null });
  const silent = bytes === undefined;
  let start = performance.now();
  const connection = await transport.dial(
    `${silent ? "tcp" : "tls"}://${address}`,
    silent ? {} : { tls: { ca } },
  );
  const port = connection.info.local?.port ?? 0;
  try {
    if (bytes !== undefined) {
      start = performance.now();
      await connection.write(bytes).catch(() => undefined);
    }
    const event = receiver.closedFrom(port, REFUSAL_MS);
    await Promise.race([noticed(connection), event]);
    const refusedAfterMs = performance.now() - start;
    const closed = await event;
    if (closed === undefined || before === undefined) return undefined;
    const { counter } = attempt.expected;
    return {
      kind: closed.kind,
      reason: closed.fault ?? closed.op ?? "",
      counted: countOf(closed.counters, counter) - countOf(before.counters, counter),
      refusedAfterMs: rounded(refusedAfterMs),
      listenerMs: rounded(closed.durationMs - (closed.handshakeMs ?? 0)),
      memory: grown(before.memory, closed),
    };
  } finally {
    await transport.close();
  }
}

/** Resolves when the other end has ended or broken the connection. */
async function noticed(connection: Connection): Promise<void> {
  const into = new Uint8Array(1_024);
  try {
    while (await connection.read(into) !== null);
  } catch {
    // Broken off: that is what is waited for.
  }
}

function grown(
  before: { readonly rss: number; readonly heap: number },
  closed: ClosedLine,
): Observed["memory"] {
  return { rss: closed.memory.rss - before.rss, heap: closed.memory.heap - before.heap };
}

function countOf(counters: TransportCounters, counter: string | null): number {
  if (counter === null) return 0;
  const [group = "", name = ""] = counter.split(".");
  const found = (counters as unknown as Record<string, Record<string, number>>)[group]?.[name];
  return found ?? 0;
}

function judged(attempt: Attempt, observed: Observed | undefined): AttemptLine {
  const { id, tried, expected } = attempt;
  if (observed === undefined) {
    return { id, tried, expected, held: false, why: `not refused within ${REFUSAL_MS} ms` };
  }
  const why = complaint(attempt, observed);
  return {
    id,
    tried,
    expected,
    observed,
    held: why === undefined,
    ...(why === undefined ? {} : { why }),
  };
}

function complaint({ expected }: Attempt, observed: Observed): string | undefined {
  const { kind, reason, counter } = expected;
  if (observed.kind !== kind || observed.reason !== reason) {
    return `expected ${kind} (${reason}), saw ${observed.kind} (${observed.reason})`;
  }
  if (counter !== null && observed.counted !== 1) {
    return `${counter} must go up by 1, went up by ${observed.counted}`;
  }
  return observed.memory.rss > MOST_MEMORY
    ? `took more than ${MOST_MEMORY} B of memory`
    : undefined;
}
