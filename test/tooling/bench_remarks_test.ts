import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "../harness.ts";
import { assertEquals } from "../_std.ts";
import { REMARKS, SUITES } from "../../bench/report/remarks.ts";
import { section } from "../../bench/report/section.ts";
import type { Row } from "../../bench/report/record.ts";
import { ROOT } from "../runtimes.ts";

const ROW: Row = {
  id: "import_to_listen",
  work: "work <one>",
  ours: 2,
  peer: 3,
  against: "a & b",
  unit: "ms",
  ratio: 1.5,
  goal: 2,
  rounds: 9,
};

describe("results of the benchmarks", () => {
  it("have remarks on rows that exist: ids in the committed baseline, or of a profile", () => {
    const text = readFileSync(join(ROOT, "bench/baseline.json"), "utf8");
    const { figures } = JSON.parse(text) as { figures: Record<string, unknown> };
    const known = new Set(Object.keys(figures).map((key) => key.split("/").slice(2).join("/")));
    const unknown = Object.keys(REMARKS).map((key) => key.replace(/^(?:deno|bun):/, ""))
      .filter((id) => !known.has(id) && !/^(?:asking|answering|sending|receiving)\./.test(id));
    assertEquals(unknown, []);
  });

  it("show a suite of both runtimes as one table with a chart and its remarks", () => {
    const rows = new Map([["deno", [ROW]], ["bun", [{ ...ROW, ratio: 2.5 }]]] as const);
    const { text, charts } = section("startup", { runtimes: ["deno", "bun"], rows });
    assertEquals(text.startsWith(`## ${SUITES["startup"]?.title}`), true);
    assertEquals(text.includes("| **1.50**, goal 2: MISSED |"), true);
    assertEquals(text.includes("**2.50**, goal 2: reached"), true);
    assertEquals(text.includes(REMARKS["import_to_listen"] ?? "?"), true);
    const svg = charts.get("startup_ratios") ?? "";
    assertEquals(svg.includes("work &lt;one&gt; / a &amp; b"), true);
    assertEquals(/NaN|undefined|Infinity/.test(svg), false);
  });

  it("show rows of one work as a curve", () => {
    const at = (x: number): Row => ({ ...ROW, id: `r${x}`, goal: null, series: { x, y: x / 2 } });
    const rows = new Map([["deno", [at(0), at(1), at(1000), at(1_048_576)]]] as const);
    const { text, charts } = section("scaling", { runtimes: ["deno"], rows });
    assertEquals(text.includes("### work <one>"), true);
    assertEquals(text.includes("| 1 048 576 |"), true);
    const svg = charts.get("scaling_curves") ?? "";
    assertEquals([svg.includes('<path d="M'), /NaN|undefined/.test(svg)], [true, false]);
  });
});
