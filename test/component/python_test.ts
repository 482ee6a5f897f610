/**
 * The documented Python example, as it is documented: the component in a host that is not JavaScript.
 * Runs once, under Deno, as no runtime of ours takes part in it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { countVectors, describe, it, ROOT, runtimeName } from "../harness.ts";

const WASMTIME = "wasmtime==50.0.1";

/** Why the example cannot run here, or where its packages are. */
function prepare(): { skip: string } | { needs: string } | { packages: string } {
  if (runtimeName() !== "deno") {
    return { skip: "the example runs no runtime of ours: Deno's run has it" };
  }
  if (!existsSync(join(ROOT, "wasm/pkg/component/oap.component.wasm"))) {
    return { needs: "the component is not built: scripts/build_wasm.sh --component" };
  }
  const packages = join(ROOT, "wasm/pkg/python");
  if (existsSync(join(packages, "wasmtime"))) return { packages };
  const pip = ["-m", "pip", "install", "--quiet", "--target", packages, WASMTIME];
  const installed = spawnSync("python3", pip, { encoding: "utf8" });
  if (installed.status === 0) return { packages };
  return {
    needs: `python3 cannot install ${WASMTIME}: ${installed.error?.message ?? "pip failed"}`,
  };
}

describe("component, Python", () => {
  const ready = prepare();
  const skip = "skip" in ready && ready.skip;
  const needs = "needs" in ready && ready.needs;
  for (const file of ["guard", "decode"]) {
    it(`runs the ${file} vectors`, { skip, needs }, () => {
      const PYTHONPATH = "packages" in ready ? ready.packages : "";
      const run = spawnSync("python3", [join(ROOT, "examples/python/run_vectors.py"), file], {
        encoding: "utf8",
        env: { ...process.env, PYTHONPATH },
      });
      assert.equal(run.status, 0, run.stdout + run.stderr);
      const [, count] = /(\d+) vectors, 0 wrong/.exec(run.stdout) ?? assert.fail(run.stdout);
      assert.ok(Number(count) > 500);
      countVectors(`${file}.jsonl`, "Python", Number(count));
    });
  }
});
