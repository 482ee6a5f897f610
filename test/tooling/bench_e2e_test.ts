import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it, ROOT, runtimeName } from "../harness.ts";
import { assert, assertEquals } from "../_std.ts";

interface Rows {
  readonly suite: string;
  readonly runtime: string;
  readonly rows: readonly { readonly id: string; readonly ours: number; readonly peer: number }[];
}

const RAW = ["raw_node", "raw_deno", "raw_bun"].flatMap((name) => [name, `${name}_sink`]);

/** Runs the end-to-end benchmark for a moment, and reads what it has written. */
function measure(folder: string, ...args: string[]): Rows {
  const file = join(folder, "e2e.json");
  const flags = runtimeName() === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const all = [...flags, join(ROOT, "bench/e2e/main.ts"), "--quick", "--json", file, ...args];
  const { status, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
  assertEquals(status, 0, stderr);
  return JSON.parse(readFileSync(file, "utf8")) as Rows;
}

describe("bench/e2e", () => {
  const skip = runtimeName() === "node" ? "the benchmarks run on Deno and Bun" : false;

  it("moves and counts all messages, framed and raw", { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), "ron-bench-"));
    try {
      const { suite, runtime, rows } = measure(folder, "--peers", RAW.join(","));
      assertEquals([suite, runtime], ["e2e", runtimeName()]);
      assertEquals(
        rows.map(({ id }) => id),
        ["flow-64b-sink", "flow-64k-sink", "flow-64k-raw", "flow-1m-raw", "ask-64b-raw"],
      );
      for (const { id, ours, peer } of rows) assert(ours > 0 && peer > 0, id);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
