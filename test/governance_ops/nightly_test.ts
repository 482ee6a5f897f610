/** How the nightly run judges what it measured, and what it keeps. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Report, writeIndex } from "../../scripts/nightly/index_page.ts";
import { judge } from "../../scripts/nightly/performance.ts";
import { folderName, prune } from "../../scripts/nightly/prune.ts";
import { skippedEverywhere } from "../../scripts/nightly/real_parts.ts";
import { lineThrough } from "../../scripts/nightly/slope.ts";
import { judgeSoak, type SoakRun } from "../../scripts/nightly/soak.ts";
import { runStage, type Stage, type StageContext } from "../../scripts/nightly/stage.ts";
import { describe, it } from "../harness.ts";

const MIB = 1_048_576;

function temporary(use: (folder: string) => void | Promise<void>): void | Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ron-nightly-"));
  const done = (): void => rmSync(folder, { recursive: true });
  const used = use(folder);
  return used instanceof Promise ? used.finally(done) : done();
}

/** A soak of two hours; what grows, grows by so much an hour. */
function soakOf(grows: { heap?: number; rss?: number }, rest: Partial<SoakRun> = {}): SoakRun {
  const samples = Array.from({ length: 120 }, (_, i) => {
    const seconds = i * 60;
    const by = (mib = 0): number => (mib * MIB * seconds) / 3_600;
    const [heap, rss] = [20 * MIB + by(grows.heap), 100 * MIB + by(grows.rss)];
    return { seconds, heap, external: 0, rss, descriptors: 30, inflight: 30 };
  });
  const descriptors = { before: 10, after: 10 };
  const sums = { ok: 100_000, failed: 0, nonsense: 10, failures: {}, p99: 4, uncaught: [] };
  return { samples, descriptors, ...sums, ...rest };
}

describe("I-16: nightly, soak", () => {
  it("a line goes through its points", () => {
    assert.deepEqual(lineThrough([[0, 1], [1, 3], [2, 5]]), { slope: 2, mean: 3 });
    assert.deepEqual(lineThrough([[0, 1], [1, 3]]), { slope: 0, mean: 2 });
    assert.deepEqual(lineThrough([]), { slope: 0, mean: 0 });
  });

  it("passes what stays, and fails growth by the hour, left descriptors, failures and what nobody caught", () => {
    assert.deepEqual(judgeSoak(soakOf({})).faults, []);
    assert.deepEqual(judgeSoak(soakOf({ heap: 0.9, rss: 0.9 })).faults, []);
    const faults = (run: SoakRun): string => judgeSoak(run).faults.join("\n");
    assert.match(faults(soakOf({ heap: 1.2 })), /^heap grows by 1\.20 MiB an hour, at most 1$/);
    assert.match(faults(soakOf({ rss: 3 })), /^resident memory grows by 3\.00 MiB an hour/);
    const left = soakOf({}, { descriptors: { before: 10, after: 11 } });
    assert.match(faults(left), /^11 descriptors after the load, 10 before it$/);
    const failed = soakOf({}, { failed: 200, failures: { "timeout/request": 200 } });
    assert.match(faults(failed), /^200 of 100200 requests failed: timeout\/request 200$/);
    assert.deepEqual(judgeSoak(soakOf({}, { failed: 50 })).faults, []);
    assert.match(faults(soakOf({}, { ok: 0 })), /none was answered/);
    assert.match(
      faults(soakOf({}, { uncaught: ["uncaught exception: x\n at y"] })),
      /^uncaught: .*x$/,
    );
  });

  it("a short run has no hour to speak of: only growth beyond a share and 8 MiB fails", () => {
    const short = (mibPerHour: number): SoakRun => {
      const run = soakOf({ heap: mibPerHour });
      return { ...run, samples: run.samples.slice(0, 15) };
    };
    assert.deepEqual(judgeSoak(short(20)).faults, []);
    assert.match(judgeSoak(short(90)).faults.join(), /^heap grew by 13\.5 MiB over 540 s/);
  });
});

describe("I-16: nightly, performance", () => {
  const pair = (figure: "cpu" | "throughput" | "p95", ...ratios: number[]) =>
    judge({ key: "deno/x", figure, ratios });

  it("has the gates of the benchmarks: the middle of at least seven rounds, most of them agreeing", () => {
    assert.equal(pair("cpu", ...Array(7).fill(1.16)).failed, true);
    assert.equal(pair("cpu", ...Array(7).fill(1.14)).failed, false);
    assert.equal(pair("p95", ...Array(7).fill(1.11)).failed, true);
    assert.equal(pair("throughput", ...Array(7).fill(0.89)).failed, true);
    assert.equal(pair("throughput", ...Array(7).fill(1.5)).failed, false);
    assert.equal(pair("cpu", ...Array(6).fill(1.5)).failed, false);
    // the middle is beyond, but three of seven rounds say otherwise
    assert.equal(pair("cpu", 0.9, 0.9, 0.9, 1.2, 1.2, 1.2, 1.2).failed, false);
    assert.equal(pair("cpu", 0.9, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2).ratio, 1.2);
  });

  it("gives a noisy runner five points", () => {
    const ratios = Array(7).fill(1.19);
    assert.equal(judge({ key: "x", figure: "cpu", ratios }, "load 9").failed, false);
    assert.equal(judge({ key: "x", figure: "cpu", ratios }, "load 9").allowed, 20);
    assert.equal(
      judge({ key: "x", figure: "cpu", ratios: Array(7).fill(1.21) }, "load 9").failed,
      true,
    );
  });
});

describe("I-16: nightly, what is left out", () => {
  it("a test that no runtime ran is told with its reason; one that some runtime ran is not", () => {
    const leaf = (name: string, outcome: "passed" | "failed" | "skipped", why?: string) => {
      return { file: "test/a_test.ts", name, outcome, ...(why === undefined ? {} : { why }) };
    };
    const leaves = [
      leaf("in Prometheus", "skipped"),
      leaf("in Prometheus", "skipped", "prometheus is not installed"),
      leaf("hybrid", "skipped", "Deno: cannot"),
      leaf("hybrid", "passed"),
      leaf("other", "failed"),
    ];
    assert.deepEqual(skippedEverywhere(leaves), [
      { name: "in Prometheus", why: "prometheus is not installed" },
    ]);
  });

  it("a stage that throws has failed; one that is left out says why", async () => {
    await temporary(async (folder) => {
      const context = { folder } as StageContext;
      const stage = (run: Stage["run"]): Stage => ({ name: "s", about: "", share: 1, run });
      const thrown = await runStage(stage(() => Promise.reject(new Error("no server"))), context);
      assert.equal(thrown.verdict, "failed");
      assert.match(thrown.faults.join(), /did not come to an end: Error: no server/);
      assert.ok(existsSync(join(folder, "s-error.txt")));
      const left = await runStage(stage(() => Promise.resolve({ leftOut: "short" })), context);
      assert.deepEqual([left.verdict, left.faults], ["left_out", ["short"]]);
      const good = await runStage(stage(() => Promise.resolve({ figures: { a: 1 } })), context);
      assert.deepEqual([good.verdict, good.faults, good.figures], ["passed", [], { a: 1 }]);
    });
  });
});

describe("nightly folders", () => {
  it("are named by their time, and removed after 30 days; nothing else is", () => {
    void temporary((root) => {
      const now = Date.parse("2026-11-29T03:00:00Z");
      const day = 86_400_000;
      const names = [0, 29, 30, 31, 400].map((days) => folderName(new Date(now - days * day)));
      for (const name of [...names, "kept", "2020-01-01"]) {
        mkdirSync(join(root, name, "corpus"), { recursive: true });
      }
      assert.equal(names[0], "2026-11-29T03-00-00Z");
      assert.deepEqual(prune(root, now), [names[4], names[3]]);
      for (const name of [names[0]!, names[2]!, "kept", "2020-01-01"]) {
        assert.ok(existsSync(join(root, name)));
      }
      assert.deepEqual(prune(join(root, "nowhere"), now), []);
    });
  });

  it("have an index for programs, and two for people", () => {
    void temporary((folder) => {
      const report: Report = {
        ...{ started: "a", ended: "b", hours: 1, command: "c", commit: "d", changed: 0 },
        ...{ machine: "e", versions: { deno: "2" }, load: { before: "1", after: "2" }, seed: 3 },
        passed: false,
        pruned: [],
        stages: [{
          name: "soak",
          verdict: "failed",
          seconds: 1.5,
          figures: { deno: "<b>|x|" },
          faults: ["heap <grows>"],
          files: ["soak.json"],
        }],
      };
      writeIndex(folder, report);
      const read = (name: string): string => readFileSync(join(folder, name), "utf8");
      assert.deepEqual(JSON.parse(read("index.json")), report);
      assert.match(read("index.md"), /\| soak \| FAILED \| 1\.5 \|/);
      assert.match(read("index.md"), /\[soak\.json\]\(soak\.json\)/);
      assert.match(read("index.html"), /heap &lt;grows>/);
      assert.doesNotMatch(read("index.html"), /<b>\|x/);
    });
  });
});
