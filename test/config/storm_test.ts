/** A small reload storm; `deno task storm:reload` runs the full one. */
import assert from "node:assert/strict";
import { describe, it } from "../harness.ts";
import { runStorm } from "./storm.ts";

describe("I-G8: reload storm", () => {
  it("60 reloads under 20 connections: last good kept, each applied one bites, nothing lost", {
    timeout: 120_000,
  }, async () => {
    const report = await runStorm({ reloads: 60, connections: 20, seed: 1 });
    const text = JSON.stringify(report, null, 1);
    assert.deepEqual(report.notes, [], text);
    assert.equal(report.applied, 18);
    assert.equal(report.rejected, 42);
    for (const { offered, held } of Object.values({ ...report.broken, ...report.probes })) {
      assert.equal(held, offered, text);
    }
    assert.ok(Object.keys(report.probes).length >= 5, text);
    assert.ok(Object.keys(report.broken).length >= 9, text);
    assert.ok(report.requests >= 100, text);
    const { lost, closed, wrongEvents, notKept } = report;
    assert.deepEqual({ lost, closed, wrongEvents, notKept }, {
      lost: 0,
      closed: 0,
      wrongEvents: 0,
      notKept: 0,
    });
  });
});
