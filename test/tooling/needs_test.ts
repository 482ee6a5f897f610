/** A missing real part skips a test and says so; where it must be there, it fails. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { assertEquals, assertMatch } from "../_std.ts";
import { BUILD, describe, it, ROOT, runtimeName } from "../harness.ts";

function run(real: boolean): { readonly status: number | null; readonly text: string } {
  const source = "test/tooling/fixtures/needy.ts";
  const args = {
    deno: ["test", "--no-check", "--allow-all", source],
    bun: ["test", `./${source}`],
    node: ["--test", join(BUILD, source.replace(/\.ts$/, ".js"))],
  }[runtimeName()];
  const { NODE_TEST_CONTEXT: _, RON_REAL: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...env, NO_COLOR: "1", ...(real && { RON_REAL: "1" }) },
  });
  return { status, text: stdout + stderr };
}

describe("a real part that is missing", () => {
  it("skips the test, and is told", () => {
    const { status, text } = run(false);
    assertEquals(status, 0, text);
    assertMatch(
      text,
      /a real part is missing: no unicorn is installed: "wants a unicorn" is skipped/,
    );
  });

  it("fails the test with RON_REAL=1", () => {
    const { status, text } = run(true);
    assertEquals(status, 1, text);
    assertMatch(text, /a real part is missing: no unicorn is installed/);
    assertEquals(text.includes('"wants a unicorn" is skipped'), false);
  });
});
