import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, runtimeName, spawnRuntime } from "../harness.ts";
import { ATTEMPTS } from "../../src/cli/demo_attempts.ts";
import { bomb, BOMB_RATIO, eightTimes } from "../../src/cli/demo_crafted.ts";
import type { DemoReport } from "../../src/cli/demo_report.ts";
import { demoText } from "../../src/cli/demo_text.ts";
import { CAPS } from "../../src/caps.ts";

describe("cli demo", () => {
  let directory = "";
  let report: DemoReport;
  let code: number | null;
  let stderr = "";

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-demo-"));
    const file = join(directory, "small.bin");
    await writeFile(file, Uint8Array.from({ length: 700_001 }, (_, i) => (i * i) >> 7));
    const child = spawnRuntime(runtimeName(), "src/cli/main.ts", ["demo", file, "--json"]);
    let text = "";
    for await (const line of child.lines) text += line + "\n";
    code = (await child.exit).code;
    stderr = child.stderr();
    report = JSON.parse(text) as DemoReport;
  });
  after(() => rm(directory, { recursive: true }));

  it("ends with 0, and holds everywhere", () => {
    assert.deepEqual(report.checks.filter(({ held }) => !held), [], stderr);
    assert.equal(report.held, true);
    assert.equal(code, 0, stderr);
  });

  it("tells the transfer: two processes, sizes, times, one digest", () => {
    const { receiver, sender, transfer } = report;
    assert.notEqual(receiver.pid, sender.pid);
    assert.equal(receiver.runtime, runtimeName());
    assert.equal(sender.runtime, runtimeName());
    assert.equal(transfer.bytes, 700_001);
    assert.equal(transfer.frames, Math.ceil(700_001 / CAPS.chunkBytes));
    assert.equal(transfer.tls, "TLSv1.3");
    assert.ok(transfer.handshakeMs > 0 && transfer.startToReadyMs > 0 && transfer.mibPerSecond > 0);
    assert.equal(new Set(Object.values(transfer.sha256)).size, 1);
    assert.match(transfer.sha256.stored, /^[0-9a-f]{64}$/);
  });

  it("has one line for every attempt, as the receiver saw it", () => {
    assert.deepEqual(report.refusals.map(({ id }) => id), ATTEMPTS.map(({ id }) => id));
    for (const { id, expected, observed } of report.refusals) {
      assert.equal(observed?.kind, expected.kind, id);
      assert.equal(observed?.reason, expected.reason, id);
      assert.equal(observed?.counted, expected.counter === null ? 0 : 1, id);
      assert.ok((observed?.refusedAfterMs ?? 0) > 0, id);
      assert.equal(typeof observed?.memory.rss, "number", id);
    }
  });

  it("leaves the honest connection alone", () => {
    assert.equal(report.honest.sent, ATTEMPTS.length + 1);
    assert.equal(report.honest.confirmed, report.honest.sent);
    assert.equal(report.honest.closed, "closed");
  });

  it("tells the readiness and the memory of the receiver", () => {
    assert.deepEqual(report.readiness.map(({ from, to, reason }) => [from, to, reason]), [
      ["NotReady", "Ready", undefined],
      ["Ready", "NotReady", "draining"],
    ]);
    const { idle, peak, aboveIdle } = report.memory;
    assert.ok(idle > 0 && peak >= idle);
    assert.equal(aboveIdle, peak - idle);
  });

  it("says the same in text, and marks a line that does not hold", () => {
    const text = demoText(report);
    assert.match(text, new RegExp(`pid ${report.receiver.pid}`));
    assert.match(text, /All of it held\./);
    assert.doesNotMatch(text, /FAILED/);
    const [first, ...rest] = report.refusals;
    assert.ok(first !== undefined);
    const { observed: _, ...unseen } = first;
    const broken = { ...unseen, held: false, why: "not refused" };
    const other = demoText({ ...report, held: false, refusals: [broken, ...rest] });
    assert.match(other, /FAILED {2}frame of 1048577 B/);
    assert.match(other, /FAILED frame_over_cap: not refused/);
    assert.match(other, /NOT all of it held\./);
  });
});

describe("cli demo, crafted bytes", () => {
  it("has the ratios that it says", () => {
    const body = (frame: Uint8Array): Uint8Array => frame.subarray(CAPS.headerBytes);
    assert.equal(inflated(body(bomb())), body(bomb()).length * BOMB_RATIO);
    assert.ok(inflated(body(bomb())) < CAPS.frameBytes);
    assert.equal(inflated(body(eightTimes(0))), 8 * body(eightTimes(0)).length);
    assert.equal(inflated(body(eightTimes(1))), 8 * body(eightTimes(1)).length + 1);
  });
});

/** Sums the blocks of a zstd frame without inflating it. */
function inflated(frame: Uint8Array): number {
  let total = 0;
  for (let at = 6; at < frame.length; at += 4) {
    const head = (frame[at] ?? 0) | (frame[at + 1] ?? 0) << 8 | (frame[at + 2] ?? 0) << 16;
    assert.equal((head >> 1) & 3, 1, "a run-length block");
    assert.equal(head & 1, at + 4 === frame.length ? 1 : 0, "the last one is marked");
    total += head >> 3;
  }
  return total;
}
