import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, findRuntime, it, ROOT, runtimeName } from "../harness.ts";
import type { DemoReport } from "../../src/cli/demo_report.ts";

/** One run shows it, and the copy is of the sources, which Node 20 does not load. */
const ONLY_DENO = runtimeName() === "deno" ? false : "shown once, on Deno: it starts a whole demo";

/** Takes a check out of a source file; fails when the file no longer has it in this form. */
async function breakCheck(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, "utf8");
  assert.equal(text.split(from).length, 2, `${file} has not exactly one ${from}`);
  await writeFile(file, text.replace(from, to));
}

async function demoOf(copy: string, file: string): Promise<{ code: number; report: DemoReport }> {
  const flags = ["read", "write", "env", "sys", "net", "run"].map((name) => `--allow-${name}`);
  const args = [
    "run",
    "--no-prompt",
    ...flags,
    join(copy, "src/cli/main.ts"),
    "demo",
    file,
    "--json",
    "--quiet",
  ];
  const child = spawn(findRuntime("deno") ?? "deno", args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => text += part);
  const code = await new Promise<number>((done) => child.on("close", (code) => done(code ?? -1)));
  return { code, report: JSON.parse(text) as DemoReport };
}

describe("cli demo with a check taken out", () => {
  it("marks the lines of the missing checks, and ends with 1", { skip: ONLY_DENO }, async () => {
    // Inside the checkout, so that its configuration and its packages are found.
    await mkdir(join(ROOT, ".cache"), { recursive: true });
    const copy = await mkdtemp(join(ROOT, ".cache/broken-"));
    try {
      await cp(join(ROOT, "src"), join(copy, "src"), { recursive: true });
      await breakCheck(
        join(copy, "src/oap/parser.ts"),
        "this.#fail(name, explain(",
        'if (name !== "BadFlags") this.#fail(name, explain(',
      );
      await breakCheck(join(copy, "src/config/value_types.ts"), "&& bytes <= most)", ")");
      const { code, report } = await demoOf(copy, join(ROOT, "deno.json"));
      const failed = report.refusals.filter(({ held }) => !held);
      assert.deepEqual(failed.map(({ id }) => id), ["unknown_flag", "raised_cap"]);
      for (const { why } of failed) assert.match(why ?? "", /not refused within/);
      assert.equal(report.held, false);
      assert.equal(report.honest.held, true);
      assert.equal(code, 1);
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});
