/**
 * An attack of equal waves, two in full and one in small, on one server, with an honest client beside it: the shape of most rows.
 *
 * @module
 */

import { setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { TransportConfig } from "../../../mod.ts";
import type { RuntimeName } from "../../runtimes.ts";
import type { PingOptions } from "../../../src/oap/mod.ts";
import type { WaveName } from "../waves/mod.ts";
import { Child, helperRuntime } from "./child.ts";
import type { Fates } from "./crowd.ts";
import type { HonestOptions, HonestReport } from "./honest.ts";
import { judge } from "./judge.ts";
import { ATTACK_SOURCES } from "./protocol.ts";
import type { RowReport } from "./report.ts";
import type { ServerReady, ServerStats } from "./server.ts";

/** Whom to attack, and how hard. */
export interface RowContext {
  readonly runtime: RuntimeName;
  readonly scale: Scale;
}

/** `full`: the figures of the table. `small`: a second or so, for the tests. */
export type Scale = "full" | "small";

/** One attack. */
export interface Row {
  readonly name: string;
  /** One sentence: what it does and what ends it. */
  readonly about: string;
  run(context: RowContext): Promise<RowReport>;
}

/** The load of a wave: plain numbers for the attacker. */
export type Load = Readonly<Record<string, number>>;

/** What waves of raw sockets tell. */
export type RawFates = Fates & Readonly<Record<string, unknown>>;

/** Who takes part, beside the honest client. */
export interface Stage {
  readonly server: Child;
  readonly attacker: Child;
  /** The library as a client, on the runtime of the server; one for all waves. */
  readonly dialer: () => Child;
  /** Another one, on the helpers' runtime; whoever asks disposes of it. */
  readonly client: () => Child;
  readonly ready: ServerReady;
}

/** What one wave did. */
export interface Seen<L extends Load, F = RawFates> {
  readonly load: L;
  readonly before: ServerStats;
  readonly after: ServerStats;
  readonly fates: F;
  readonly honest: HonestReport;
  /** Most resident memory of the server during the wave, beyond what it had before, in bytes. */
  readonly grewBytes: number;
  readonly ready: ServerReady;
  readonly scale: Scale;
}

/** What a row of waves is made of. */
export interface WavesOptions<L extends Load, F = RawFates> {
  readonly name: string;
  readonly about: string;
  /** One wave of raw sockets, or whatever else is done in it. */
  readonly act: WaveName | ((stage: Stage, load: L) => Promise<F>);
  readonly loads: Readonly<Record<Scale, L>>;
  /** The load in words. */
  readonly words: (load: L) => string;
  readonly config: (scale: Scale) => TransportConfig;
  readonly tls?: boolean;
  readonly ping?: (scale: Scale) => PingOptions;
  readonly descriptors?: number;
  readonly sources?: readonly string[];
  readonly honest?: Partial<HonestOptions>;
  /** What did not hold in this wave. */
  readonly expect: (seen: Seen<L, F>) => string[];
  /** Figures for the report. */
  readonly figures?: (seen: Seen<L, F>) => Record<string, number | string>;
}

/** The tests share their machine: there the honest client asks less, or it would overtake itself. */
const HONEST: Readonly<Record<Scale, Partial<HonestOptions>>> = {
  full: { everyMs: 10, dialEveryMs: 100, bigEveryMs: 0 },
  small: { everyMs: 50, dialEveryMs: 200, bigEveryMs: 0 },
};
/** Milliseconds the honest client waits for an answer; the tests share their machine with others. */
const PATIENCE_MS: Readonly<Record<Scale, number>> = { full: 2_000, small: 10_000 };
/** Milliseconds for which the honest client is alone. */
const ALONE_MS: Readonly<Record<Scale, number>> = { full: 5_000, small: 200 };
/** How many waves: the second shows what the first left. */
const WAVES: Readonly<Record<Scale, number>> = { full: 2, small: 1 };
/** Milliseconds for the server to notice that the last socket has gone. */
const SETTLE_MS = 10_000;

/** Makes a row of it. */
export function wavesRow<L extends Load, F = RawFates>(options: WavesOptions<L, F>): Row {
  const { name, about } = options;
  return { name, about, run: (context) => run(options, context) };
}

async function run<L extends Load, F>(
  options: WavesOptions<L, F>,
  { runtime, scale }: RowContext,
): Promise<RowReport> {
  const start = performance.now();
  const load = options.loads[scale];
  const { act, tls = false, ping, descriptors, sources = ATTACK_SOURCES } = options;
  await using server = new Child(
    runtime,
    "server",
    descriptors === undefined ? {} : { descriptors },
  );
  await using honest = new Child(helperRuntime(), "honest");
  await using attacker = new Child(helperRuntime(), "attacker");
  // attackers come with processors of their own; here they take what the others leave
  setPriority(attacker.pid, 10);
  let dialer: Child | undefined;
  await using _dialer = {
    [Symbol.asyncDispose]: async (): Promise<void> => await dialer?.[Symbol.asyncDispose](),
  };
  const config = options.config(scale);
  const ready = await server.tell<ServerReady>("start", { config, tls, ping: ping?.(scale) });
  const { port, ca } = ready;
  const stage: Stage = {
    server,
    attacker,
    dialer: () => dialer ??= new Child(runtime, "dialer"),
    client: () => new Child(helperRuntime(), "dialer"),
    ready,
  };
  await honest.tell("start", {
    port,
    ca,
    ...HONEST[scale],
    patienceMs: PATIENCE_MS[scale],
    ...options.honest,
  });
  await delay(ALONE_MS[scale]); // both ends warm up
  if (scale === "full") {
    await honest.tell("report");
    await delay(ALONE_MS[scale]);
  }
  const alone = await honest.tell<HonestReport>("report");

  const wave = async (): Promise<Seen<L, F>> => {
    const before = await quiet(server, honest);
    server.resetPeak();
    const fates = typeof act === "function"
      ? await act(stage, load)
      : await attacker.tell<F>("wave", { wave: act, target: { port, ca, sources }, load });
    const highest = server.peakBytes();
    peak = Math.max(peak, highest);
    const after = await quiet(server, honest, spare(before.stats));
    return {
      load,
      before: before.stats,
      after: after.stats,
      fates,
      honest: after.report,
      grewBytes: highest - before.stats.memory.rss,
      ready,
      scale,
    };
  };
  let most = 0;
  let peak = 0;
  const watch = setInterval(() => most = Math.max(most, server.descriptors()), 200);
  const waves: Seen<L, F>[] = [];
  try {
    for (let n = 0; n < WAVES[scale]; n++) waves.push(await wave());
  } finally {
    clearInterval(watch);
  }
  await honest.tell("stop");
  const first = waves[0]!;
  const second = waves.at(-1)!;
  const measured = {
    honest: honestFigures(alone, waves.map(({ honest }) => honest)),
    resident: {
      before: first.before.memory.rss,
      peak,
      after: waves.map(residentAfter),
    },
    heap: {
      before: first.before.memory.heap + first.before.memory.external,
      after: second.after.memory.heap + second.after.memory.external,
    },
    descriptors: {
      // without those of the honest client, which may have dialled another one meanwhile
      before: spare(first.before),
      peak: most,
      after: spare(second.after),
    },
  };
  const rule = { times: scale === "full", resident: scale === "full" };
  return {
    name: options.name,
    load: options.words(load),
    refused: refusedBetween(first.before, second.after),
    ...measured,
    figures: {
      ...options.figures?.(first),
      "event loop stood still ms": first.after.stoodStillMs.toFixed(0),
      "of these its own ms": first.after.burstMs.toFixed(0),
      "honest client itself late ms (p99)": first.honest.late.p99.toFixed(0),
      "processor s of the server": ((first.after.cpuMicros - first.before.cpuMicros) / 1e6).toFixed(
        1,
      ),
    },
    faults: [
      ...judge(measured, rule),
      ...waves.flatMap((seen, i) =>
        options.expect(seen).map((fault) => waves.length === 1 ? fault : `wave ${i + 1}: ${fault}`)
      ),
      ...[...second.after.uncaught, ...second.honest.uncaught].map((text) => `uncaught: ${text}`),
    ],
    seconds: (performance.now() - start) / 1_000,
  };
}

/** Descriptors that belong to no connection. */
function spare({ memory, counters }: ServerStats): number {
  return memory.descriptors - counters.inflight;
}

function residentAfter({ after }: { readonly after: ServerStats }): number {
  return after.memory.rss;
}

/**
 * The server's figures, while it has no connections but those of the honest client that stay, and what
 * the honest client saw since the last time.
 */
async function quiet(
  server: Child,
  honest: Child,
  descriptors: number = Infinity,
): Promise<{ stats: ServerStats; report: HonestReport }> {
  await honest.tell("pause");
  const report = await honest.tell<HonestReport>("report");
  const until = performance.now() + SETTLE_MS;
  const stays = await honest.tell<number>("stays");
  while (await server.tell<number>("inflight") > stays && performance.now() < until) {
    await delay(20);
  }
  let stats = await server.tell<ServerStats>("stats");
  // a socket that was given up may be closed a moment later
  while (spare(stats) > descriptors && performance.now() < until) {
    await delay(100);
    const { received, ...now } = await server.tell<ServerStats>("stats");
    stats = { ...now, received: { ...received, ...stats.received } };
  }
  await honest.tell("resume");
  return { stats, report };
}

function honestFigures(
  alone: HonestReport,
  beside: readonly HonestReport[],
): NonNullable<RowReport["honest"]> {
  const counts = beside.flatMap(({ requests, dials, big }) => [requests, dials, big]);
  const ok = counts.reduce((sum, count) => sum + count.ok, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  const failures: Record<string, number> = {};
  for (const report of beside) {
    for (const [kind, n] of Object.entries(report.failures)) {
      failures[kind] = (failures[kind] ?? 0) + n;
    }
  }
  return {
    aloneMs: alone.requests.p99,
    besideMs: Math.max(...beside.map(({ requests }) => requests.p99)),
    dialAloneMs: alone.dials.p99,
    dialBesideMs: Math.max(...beside.map(({ dials }) => dials.p99)),
    success: ok / (ok + failed),
    failures,
  };
}

/** Refusals by reason, and the other counts that a row may speak of. */
export function refusedBetween(
  before: ServerStats,
  after: ServerStats,
): Record<string, number> {
  const refused: Record<string, number> = {};
  for (const [reason, n] of Object.entries(after.counters.rejected)) {
    refused[reason] = n - before.counters.rejected[reason as "timeout"];
  }
  refused["429"] = after.refused - before.refused;
  refused["no room for 429"] = after.dropped - before.dropped;
  return Object.fromEntries(Object.entries(refused).filter(([, n]) => n !== 0));
}
