/**
 * `deno task build`: compiles the npm package into dist/. `npm pack` then packs it.
 *
 * @module
 */

import { chmodSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { findRuntime, ROOT } from "../test/runtimes.ts";
import { markForBun } from "./lib/bun_pragma.ts";
import { run, seconds } from "./lib/process.ts";

const runner = findRuntime("node") ?? findRuntime("bun");
if (runner === undefined) {
  console.error("build: the TypeScript compiler needs Node or Bun, and neither was found");
  process.exit(1);
}
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
const { code, output, ms } = await run(runner, [tsc, "--project", "tsconfig.dist.json"]);
if (code !== 0) {
  console.error(`build: the sources do not compile\n${output.trimEnd()}`);
  process.exit(1);
}
markForBun(join(ROOT, "dist"));
const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  bin: Record<string, string>;
};
for (const path of Object.values(bin)) chmodSync(join(ROOT, path), 0o755);
console.log(`build: dist/ is ready (${seconds(ms)})`);
