import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "../harness.ts";
import { assertEquals, assertThrows } from "../_std.ts";
import { type Baseline, makeBaseline, parseBaseline } from "../../bench/report/baseline.ts";
import { compare, GATES, medianOf } from "../../bench/report/gates.ts";
import { writeRecord } from "../../bench/report/record.ts";
import { findRuntime, ROOT, runtimeName } from "../runtimes.ts";

function baseline(figures: Baseline["figures"], more: Partial<Baseline> = {}): Baseline {
  return { ref: "rig", date: "2026-01-01", commit: "abc", figures, ...more };
}

describe("gates of the benchmarks", () => {
  it("fails each kind of figure just past its bound, and not at it", () => {
    for (const [name, { percent, worse }] of Object.entries(GATES)) {
      const sign = worse === "more" ? 1 : -1;
      const of = (value: number): Baseline => baseline({ "deno/s/r": { [name]: value } });
      const at = compare(of(100), of(100 + sign * percent));
      assertEquals(at.failed.length, 0, name);
      const past = compare(of(100), of(100 + sign * (percent + 0.1)));
      assertEquals(past.failed.map(({ figure }) => figure), [name]);
      const better = compare(of(100), of(100 - sign * 50));
      assertEquals(better.failed.length, 0, name);
    }
  });

  it("I-16: has the bounds that were agreed on", () => {
    const bounds = Object.entries(GATES).map(([name, { percent }]) => `${name} ${percent}`);
    assertEquals(bounds, [
      "p95 10",
      "p99 10",
      "throughput 10",
      "ratio 10",
      "cpu 15",
      "memory 15",
      "allocations 15",
    ]);
  });

  it("gives a noisy runner 5 points, and records why", () => {
    const of = (p95: number): Baseline => baseline({ "deno/s/r": { p95 } });
    assertEquals(compare(of(100), of(114)).failed.length, 1);
    const waived = compare(of(100), of(114), "shared machine");
    assertEquals([waived.failed.length, waived.waiver], [0, "shared machine"]);
    assertEquals(compare(of(100), of(116), "shared machine").failed.length, 1);
  });

  it("gates the fields of the baseline record", () => {
    const of = (ms: number, gbps: number): Baseline =>
      baseline({}, { tls_small_p95_ms: ms, tls_stream_64k_gbps: gbps });
    assertEquals(compare(of(10, 2), of(11.2, 1.7)).failed.map(({ key }) => key), [
      "tls_small_p95_ms",
      "tls_stream_64k_gbps",
    ]);
  });

  it("fails a row that is gone, and tells of a suite that did not run", () => {
    const base = baseline({
      "deno/a/x": { ratio: 1 },
      "deno/a/y": { ratio: 1 },
      "bun/a/x": { ratio: 1 },
    });
    const result = compare(base, baseline({ "deno/a/x": { ratio: 1 } }));
    assertEquals(result.failed.map(({ key }) => key), ["deno/a/y"]);
    assertEquals(result.notRun, ["bun/a"]);
  });

  it("judges only ratios between different machines", () => {
    const base = baseline({ "deno/s/r": { ratio: 2, p95: 1 } });
    const head = baseline({ "deno/s/r": { ratio: 2, p95: 9 } }, { ref: "another" });
    const { changes, failed, ratiosOnly } = compare(base, head);
    assertEquals([changes.length, failed.length], [1, 0]);
    assertEquals(ratiosOnly, "the rigs differ: rig; another");
  });

  it("does not let nothing become something", () => {
    const of = (allocations: number): Baseline => baseline({ "deno/s/r": { allocations } });
    assertEquals(compare(of(0), of(0)).failed.length, 0);
    assertEquals(compare(of(0), of(1)).failed.length, 1);
  });

  it("takes the median of three runs", () => {
    const of = (ratio: number): Baseline =>
      baseline({ "deno/s/r": { ratio } }, { tls_small_p95_ms: ratio });
    const { figures, tls_small_p95_ms } = medianOf([of(9), of(1), of(2)]);
    assertEquals([figures["deno/s/r"]?.ratio, tls_small_p95_ms], [2, 2]);
    assertThrows(
      () => medianOf([of(1), { ...of(1), ref: "another" }]),
      TypeError,
      "different rigs",
    );
  });

  it("names what is wrong in a baseline file", () => {
    assertThrows(() => parseBaseline({}, "f"), TypeError, "f: ref must be a text");
    const bad = { ...baseline({}), cpu_pct_at_target: 101 };
    assertThrows(() => parseBaseline(bad, "f"), TypeError, "cpu_pct_at_target must be at most 100");
    const negative = baseline({ "deno/s/r": { ratio: -1 } });
    assertThrows(() => parseBaseline(negative, "f"), TypeError, 'f: figures["deno/s/r"].ratio');
  });

  it("holds the committed baseline to its form", () => {
    const file = join(ROOT, "bench/baseline.json");
    parseBaseline(JSON.parse(readFileSync(file, "utf8")), file);
  });
});

describe("bench/compare.ts", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ron-compare-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function records(name: string, ratio: number): string {
    const out = join(folder, name);
    mkdirSync(out);
    writeRecord(join(out, "deno", "codec.json"), {
      suite: "codec",
      runtime: "deno",
      version: "2.9.5",
      rows: [{
        id: "row",
        work: "work",
        ours: 1,
        peer: ratio,
        against: "peer",
        unit: "ns",
        ratio,
        goal: null,
        rounds: 9,
      }],
    });
    return out;
  }

  function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    // It is run as it is: by Deno where the tests run on Node.
    const name = runtimeName() === "bun" ? "bun" : "deno";
    const flags = name === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
    const path = findRuntime(name) ?? name;
    return spawnSync(path, [...flags, join(ROOT, "bench/compare.ts"), ...args], {
      encoding: "utf8",
      timeout: 30_000,
    });
  }

  it("exits 0 when all holds, 1 on a regression, 2 when it was asked wrongly", () => {
    const [same, better, worse] = [records("a", 2), records("b", 2.1), records("c", 1.5)];
    assertEquals(run(same, better).status, 0);
    const failed = run(same, worse, "--json", join(folder, "result.json"));
    assertEquals(failed.status, 1, failed.stderr);
    assertEquals(/deno\/codec\/row +ratio .* 25\.0 % worse {2}FAILED/.test(failed.stdout), true);
    const result = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
    assertEquals(result.failed.length, 1);
    assertEquals(run(same).status, 2);
  });

  it("takes a file, and medians of several", () => {
    const file = join(folder, "base.json");
    writeFileSync(file, JSON.stringify(makeBaseline(records("a", 2))));
    const three = [records("x", 1), records("y", 2), records("z", 3)].join(",");
    assertEquals(run(file, three).status, 0);
  });
});
