/**
 * Tor: the addon's crates, and everything on a private Tor network; in a short run the streams of a
 * transport alone.
 *
 * @module
 */

import process from "node:process";
import { findRuntime } from "../../test/runtimes.ts";
import type { Found, Stage, StageContext } from "./stage.ts";

/** Building the addon cold takes minutes, and its lints as much again. */
const TIMEOUT_MS = 5_400_000;

/** The stage. */
export const tor: Stage = {
  name: "tor",
  about: "lints and tests of the Tor addon, and the tests on a private Tor network",
  share: 0.1,
  run: runTor,
};

async function runTor({ log, short }: StageContext): Promise<Found> {
  const deno = findRuntime("deno") ?? process.execPath;
  const args = ["run", "--no-prompt", "--allow-all", "scripts/test_tor.ts"];
  if (short) args.push("transport_streams", "--cached");
  else args.push("--rust");
  const { code, output } = await log("tor.txt", deno, args, { timeout: TIMEOUT_MS });
  const faults = [...output.matchAll(/^no (?:addon|network), .*$/gm)].map(([text]) => text);
  const [, passed, failed, skipped] =
    /^(\d+) passed, (\d+) failed, (\d+) skipped\n*$/m.exec(output.slice(-200)) ?? [];
  if (code !== 0) faults.push(`${failed ?? "all"} of the tests on Tor fail: tor.txt`);
  const missed = [...output.matchAll(/^missed: (.*)$/gm)].map(([, text = ""]) => text).join("; ");
  const counts = { passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0 };
  return {
    figures: missed === "" ? counts : { ...counts, "targets missed": missed },
    faults,
    files: ["tor.txt"],
  };
}
