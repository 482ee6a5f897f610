/**
 * The npm package, as `deno task build` makes it, in a folder of the bench's own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { markForBun } from "../../scripts/lib/bun_pragma.ts";
import { findRuntime, ROOT } from "../../test/runtimes.ts";

/** Compiles it. @returns Its entry. */
export function compiledPackage(): string {
  const out = join(ROOT, "bench/out/package");
  rmSync(out, { recursive: true, force: true });
  const runner = findRuntime("node") ?? findRuntime("bun");
  if (runner === undefined) throw new Error("startup: the TypeScript compiler needs Node or Bun");
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--project", "tsconfig.dist.json", "--outDir", out];
  // Whoever checks the bench's types would look at declarations here, too.
  args.push("--isolatedDeclarations", "false", "--declaration", "false");
  const { status } = spawnSync(runner, args, { cwd: ROOT, stdio: "inherit", timeout: 120_000 });
  if (status !== 0) throw new Error(`startup: the compiler ended with code ${status}`);
  markForBun(out);
  return join(out, "mod.js");
}
