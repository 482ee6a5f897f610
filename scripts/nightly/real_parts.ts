/**
 * The whole suite, or what needs a real part in a short run. A test that no runtime ran has failed: a
 * night that leaves out Prometheus, a proxy or Tor must not look like one that had them.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../../test/runtimes.ts";
import { add, type Leaf, line, type Tally } from "../lib/report.ts";
import { compile, type SuiteName, SUITES } from "../lib/suites.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** The stage. */
export const realParts: Stage = {
  name: "tests",
  about: "the tests; in a short run those that need a real part, such as Prometheus or strace",
  share: 0.1,
  run: runTests,
};

async function runTests({ folder, short }: StageContext): Promise<Found> {
  const compiled = await compile();
  if (compiled.code !== 0) return { faults: ["the sources do not compile for Node"] };
  // a part that is missing fails its test, and promised sizes are run where there is time for them
  process.env["RON_REAL"] = "1";
  if (!short) process.env["RON_FULL"] = "1";
  const all = testFiles();
  const files = short ? all.filter(needsRealPart) : all;
  const names: readonly SuiteName[] = short
    ? ["deno", "bun", "node"]
    : Object.keys(SUITES) as SuiteName[];
  let sum: Tally = { passed: 0, failed: 0, skipped: 0 };
  const faults: string[] = [];
  const leaves: Leaf[] = [];
  let output = "";
  for (const name of names) {
    const result = await SUITES[name]({ files, name: undefined, docs: !short });
    sum = add(sum, result.counts);
    leaves.push(...result.leaves);
    output += `===== ${name}: ${line(result.counts)}\n${result.output}\n`;
    for (const failure of result.failures) faults.push(`${name}: ${failure.file}: ${failure.name}`);
    if (result.counts.failed > result.failures.length) {
      faults.push(`${name}: ${result.notes.join("; ")}`);
    }
  }
  writeFileSync(join(folder, "tests.txt"), output);
  const skipped = skippedEverywhere(leaves);
  faults.push(...skipped.map(({ name, why }) => `no runtime ran "${name}": ${why}`));
  return {
    figures: { ...sum, files: files.length, "skipped on every runtime": skipped.length },
    faults,
    files: ["tests.txt"],
  };
}

/** Tests that were reported and that no run executed, with the reason where a runner tells it. */
export function skippedEverywhere(leaves: readonly Leaf[]): { name: string; why: string }[] {
  const ran = new Set(leaves.filter((one) => one.outcome !== "skipped").map((one) => one.name));
  const skipped = new Map<string, string>();
  for (const { name, outcome, why } of leaves) {
    if (outcome !== "skipped" || ran.has(name)) continue;
    skipped.set(name, why ?? skipped.get(name) ?? "without a reason");
  }
  return [...skipped].map(([name, why]) => ({ name, why }));
}

/** All but those on a Tor network, which are a stage of their own. */
function testFiles(): string[] {
  return readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts") && !/^tor[\\/]/.test(name))
    .map((name) => `test/${name.replaceAll("\\", "/")}`).sort();
}

/** Programs that are not installed with the repository; Python and Tor are parts as well. */
const PARTS =
  /\b(?:prometheus|promtool|nats-server|haproxy|nginx|openssl|sslscan|strace|python3|testssl)\b|src\/arti|\bneeds: /i;

function needsRealPart(file: string): boolean {
  return PARTS.test(readFileSync(join(ROOT, file), "utf8"));
}
