/** The drill: every attempt on the library, the check that refuses, and what an attempt that gets through does. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CAPS } from "../../mod.ts";
import { attempt, mustThrow, together } from "../../src/cli/governance_drill_attempt.ts";
import { checkAttempts } from "../../src/cli/governance_drill_check.ts";
import { libraryAttempts } from "../../src/cli/governance_drill_library.ts";
import { recordText } from "../../src/cli/governance_record.ts";
import { TransportError } from "../../src/errors.ts";
import { parseLog } from "../../src/governance/log.ts";
import { run } from "../cli/terminal.ts";
import { afterEach, beforeEach, describe, it, ROOT, runtimeName } from "../harness.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ron-drill-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("I-G1: governance drill", () => {
  it("the library refuses all twenty attempts, those on a running server with an audit event", async () => {
    const { attempts, close } = libraryAttempts(folder);
    const tried = [];
    for (const one of attempts) tried.push(await attempt(one));
    await close();
    assert.equal(tried.length, 20);
    for (const { name, outcome } of tried) {
      assert.ok(outcome.refused, `${name}: ${outcome.how}`);
      if (!/by (?:file|environment|flag|reload)$/.test(name)) continue;
      assert.match(outcome.how, /^config_invalid: \S/);
      assert.equal(
        outcome.audit,
        '{"event":"TransportConfigReloaded","result":"rejected","version":1}',
        name,
      );
    }
    assert.equal(({} as { maxFrameBytes?: unknown }).maxFrameBytes, undefined);
    assert.equal(CAPS.frameBytes, 1_048_576);
  });

  it("the check refuses a raised ceiling that is labelled class 2, and takes an untouched copy", {
    timeout: 300_000,
    skip: runtimeName() === "deno" && existsSync(join(ROOT, ".git"))
      ? false
      : "one runtime's run has it, and it wants a git checkout",
  }, async () => {
    const attempts = await checkAttempts(ROOT, folder);
    assert.equal(attempts.length, 9);
    const last = await attempt(attempts.at(-1)!);
    assert.match(last.name, /labelled class 2/);
    assert.ok(last.outcome.refused, last.outcome.how);
    assert.match(last.outcome.how, /^REFUSED .*cap:frameBytes: .* declares class 2/);
  });

  it("what is taken, ends otherwise, or is refused for something else counts as through", async () => {
    const misuse = (): never => {
      throw new TransportError("misuse", "no", { op: "x" });
    };
    assert.deepEqual(await mustThrow("misuse", misuse), { refused: true, how: "misuse: no" });
    assert.equal((await mustThrow("config_invalid", misuse)).refused, false);
    assert.deepEqual(await mustThrow("misuse", () => 1), { refused: false, how: "it was taken" });
    assert.equal(
      (await mustThrow("TypeError", () => Object.assign(CAPS, { events: 1 }))).refused,
      true,
    );
    const one = { name: "a", against: "library", expects: "b" } as const;
    const ended = await attempt({ ...one, run: () => Promise.reject(new Error("broken")) });
    assert.deepEqual(ended.outcome, { refused: false, how: "ended otherwise: broken" });
    const yes = { refused: true, how: "x" };
    assert.deepEqual(together([yes, { ...yes, audit: "e" }]), {
      refused: true,
      how: "x",
      audit: "e",
    });
    assert.deepEqual(together([yes, { refused: false, how: "taken" }]).how, "taken");
  });

  it("its record is an entry that the log reads, with the next id", async () => {
    const log = await readFile(join(ROOT, "GOVERNANCE_LOG.md"), "utf8");
    const text = recordText(log, "mia", "0123abc", {
      title: "Drill",
      kind: "drill",
      decision: "passed",
      rationale: "Rehearsed.",
      evidence: ["library: frame by file: held"],
    });
    const { entries, faults } = parseLog(`${log}\n${text}`);
    assert.deepEqual(faults, []);
    assert.equal(entries.at(-1)?.kind, "drill");
    assert.deepEqual(entries.at(-1)?.evidence, ["library: frame by file: held"]);
    assert.throws(() =>
      recordText("```json governance\n{}\n```\n", "mia", "0", {
        ...{ title: "x", kind: "drill", decision: "passed", rationale: "x", evidence: [] },
      }), { kind: "config_invalid" });
  });

  it("a further argument is refused", async () => {
    const { code, err } = await run("governance", "drill", "now");
    assert.equal(code, 2);
    assert.match(err, /takes no further argument, got "now"/);
  });
});
