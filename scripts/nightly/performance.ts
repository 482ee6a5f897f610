/**
 * Performance: this tree against a base, round by round in turn, so that both have the same machine.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { GATES, WAIVER_POINTS } from "../../bench/report/gates.ts";
import { findRuntime, ROOT, type RuntimeName } from "../../test/runtimes.ts";
import { run } from "../lib/process.ts";
import type { Round } from "./round.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** Fewest rounds that are judged. */
const LEAST_ROUNDS = 7;
const MOST_ROUNDS = 41;
/** Rounds of a pair that must agree before a middle beyond its gate counts. */
const AGREE = 0.75;

/** One figure of both trees, in every round. */
export interface Pair {
  readonly key: string;
  readonly figure: "cpu" | "throughput" | "p95" | "p99" | "memory";
  /** Head by base, of each round. */
  readonly ratios: readonly number[];
}

/** A pair, judged. */
export interface Judged extends Pair {
  /** Middle of the ratios. */
  readonly ratio: number;
  /** Percent for the worse. */
  readonly worseBy: number;
  readonly allowed: number;
  readonly failed: boolean;
}

/** The stage. */
export const performanceSnapshot: Stage = {
  name: "performance",
  about: "base and head in turn, at least 7 rounds: processor time, throughput, p95, p99, memory",
  share: 0.2,
  run: snapshot,
};

async function snapshot(context: StageContext): Promise<Found> {
  const base = await resolveBase(context.base);
  const folder = mkdtempSync(join(tmpdir(), "ron-base-"));
  const tree = join(folder, "tree");
  const git = (...args: string[]) => run("git", args);
  const added = await git("worktree", "add", "--detach", "--quiet", tree, base);
  if (added.code !== 0) {
    return { faults: [`the base ${base} cannot be checked out: ${added.output}`] };
  }
  try {
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
    return await compareTrees(context, tree, base);
  } finally {
    await git("worktree", "remove", "--force", tree);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The revision given, or the one that the committed baseline was measured at. */
async function resolveBase(given: string | undefined): Promise<string> {
  const text = readFileSync(join(ROOT, "bench/baseline.json"), "utf8");
  const wanted = given ?? (JSON.parse(text) as { commit: string }).commit;
  const { code, output } = await run("git", [
    "rev-parse",
    "--verify",
    "--quiet",
    `${wanted}^{commit}`,
  ]);
  if (code !== 0) {
    throw new Error(`no commit ${wanted} here: fetch it, or name another with --base`);
  }
  return output.trim();
}

async function compareTrees(context: StageContext, tree: string, base: string): Promise<Found> {
  const runtimes = (["deno", "bun"] as const).filter((one) => findRuntime(one));
  const load = loadavg()[0] ?? 0;
  const noisy = load > availableParallelism() * 0.75
    ? `load ${load.toFixed(1)} on ${availableParallelism()} processors before it began`
    : undefined;
  const judged: Judged[] = [];
  const figures: Record<string, string | number> = { base: base.slice(0, 12) };
  for (const runtime of runtimes) {
    const rounds = await inTurn(context, runtime, tree, context.seconds / runtimes.length);
    const own = pairsOf(rounds, runtime).map((pair) => judge(pair, noisy));
    judged.push(...own);
    figures[`rounds on ${runtime}`] = rounds.length;
    for (const { key, figure, ratio } of own) {
      if (figure === "cpu" || figure === "p95") {
        figures[`${key} ${figure}`] = `${ratio.toFixed(3)} x base`;
      }
    }
  }
  if (noisy !== undefined) figures["noisy runner"] = `${WAIVER_POINTS} points more: ${noisy}`;
  const report = { base, waiver: noisy, gates: GATES, judged };
  writeFileSync(
    join(context.folder, "performance.json"),
    `${JSON.stringify(report, undefined, 1)}\n`,
  );
  const faults = judged.filter(({ failed }) => failed).map(({ key, figure, worseBy, allowed }) =>
    `${key}: ${figure} is ${worseBy.toFixed(1)} % worse than the base, at most ${allowed} %`
  );
  return { figures, faults, files: ["performance.json", "performance.txt"] };
}

interface Turn {
  readonly base: Round;
  readonly head: Round;
}

async function inTurn(
  { log }: StageContext,
  runtime: RuntimeName,
  tree: string,
  seconds: number,
): Promise<Turn[]> {
  const program = findRuntime(runtime) ?? runtime;
  const flags = runtime === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const one = async (root: string): Promise<Round> => {
    const args = [...flags, join(ROOT, "scripts/nightly/round.ts"), root];
    const { code, output } = await log("performance.txt", program, args, { timeout: 180_000 });
    const line = output.split("\n").findLast((text) => text.startsWith("round "));
    if (code !== 0 || line === undefined) {
      throw new Error(`a round on ${runtime} failed: ${output}`);
    }
    return JSON.parse(line.slice(6)) as Round;
  };
  const turns: Turn[] = [];
  const end = performance.now() + seconds * 1_000;
  while (turns.length < LEAST_ROUNDS || (performance.now() < end && turns.length < MOST_ROUNDS)) {
    // who goes first changes, so that neither always has the warmer machine
    if (turns.length % 2 === 0) {
      const base = await one(tree);
      turns.push({ base, head: await one(ROOT) });
    } else {
      const head = await one(ROOT);
      turns.push({ base: await one(tree), head });
    }
  }
  return turns;
}

function pairsOf(turns: readonly Turn[], runtime: string): Pair[] {
  const names = Object.keys(turns[0]?.head.costs ?? {});
  const pairs = names.flatMap((name) =>
    (["cpu", "throughput", "p95", "p99"] as const).flatMap((figure): Pair[] => {
      const ratios = turns.flatMap(({ base, head }) => {
        const [a, b] = [base.costs[name]?.[figure], head.costs[name]?.[figure]];
        return a === undefined || b === undefined || a === 0 ? [] : [b / a];
      });
      return ratios.length === 0 ? [] : [{ key: `${runtime}/${name}`, figure, ratios }];
    })
  );
  const memory = turns.map(({ base, head }) => head.memory / base.memory);
  return [...pairs, { key: `${runtime}/all`, figure: "memory", ratios: memory }];
}

/**
 * Judges a pair: its middle is beyond the gate, and most rounds agree that it got worse.
 *
 * @param noisy Why the runner is noisy; gives some points more.
 */
export function judge(pair: Pair, noisy?: string): Judged {
  const gate = GATES[pair.figure];
  const sorted = pair.ratios.toSorted((a, b) => a - b);
  const ratio = sorted[(sorted.length - 1) >> 1] ?? 1;
  const sign = gate.worse === "more" ? 1 : -1;
  const worseBy = sign * 100 * (ratio - 1);
  const agree = pair.ratios.filter((one) => sign * (one - 1) > 0).length / pair.ratios.length;
  const allowed = gate.percent + (noisy === undefined ? 0 : WAIVER_POINTS);
  const failed = pair.ratios.length >= LEAST_ROUNDS && worseBy > allowed && agree >= AGREE;
  return { ...pair, ratio, worseBy, allowed, failed };
}
