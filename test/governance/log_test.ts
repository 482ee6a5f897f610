/** The documents of governance: the log, the policy, who holds which role, the snapshot. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { differences, parseSnapshot, snapshotText } from "../../src/governance/identifiers.ts";
import { entryText, LOG_FILE, type LogEntry, nextId, parseLog } from "../../src/governance/log.ts";
import { MAINTAINERS_FILE, parseMaintainers } from "../../src/governance/maintainers.ts";
import { parsePolicy, POLICY_FILE, policyIdentifiers } from "../../src/governance/policy.ts";
import { describe, it, ROOT } from "../harness.ts";

const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");

/** An entry with some fields of another one. */
function entry(fields: Partial<LogEntry> = {}): LogEntry {
  return {
    id: "G-0001",
    date: "2026-01-05T10:00:00Z",
    kind: "change",
    class: 1,
    decision: "approved",
    author: "mia",
    votes: { maintainers: [{ by: "noah", vote: "approve" }] },
    rationale: "Idle connections cost memory.",
    links: ["#12"],
    evidence: ["bench/RESULTS.md"],
    supersedes: null,
    reverts: null,
    touched: [{ identifier: "default:idle_timeout", old: "60s", new: "30s" }],
    opened: "2026-01-01T10:00:00Z",
    merged: null,
    commit: null,
    proposal: null,
    version_step: "minor",
    ...fields,
  };
}

describe("governance documents", () => {
  it("those of this repository are well formed", async () => {
    const log = parseLog(await read(LOG_FILE));
    assert.deepEqual(log.faults, []);
    assert.ok(log.entries.length > 0);
    const holders = parseMaintainers(await read(MAINTAINERS_FILE));
    for (const { author } of log.entries) assert.ok(Object.values(holders).flat().includes(author));
    const text = await read(POLICY_FILE);
    assert.equal(parsePolicy(text).frozen.caps["frameBytes"], 1_048_576);
    assert.equal(policyIdentifiers(text)["policy:classes.0.release"], "major");
  });

  it("an entry is read as it was written", () => {
    const [one, two] = [entry(), entry({ id: "G-0002", supersedes: "G-0001" })];
    const text = `# Log\n\n${entryText(one, "Idle")}\nwords\n\n${entryText(two, "Again")}`;
    const log = parseLog(text);
    assert.deepEqual(log, { entries: [one, two], faults: [] });
    assert.equal(nextId(log), "G-0003");
  });

  it("each fault of an entry is told with its line and field", () => {
    const bad = { ...entry(), class: 7, opened: "yesterday", extra: 1 };
    const text = `# Log\n\n${entryText(bad as never, "Bad")}`;
    const { entries, faults } = parseLog(text);
    assert.equal(entries.length, 0);
    assert.match(faults.join("\n"), /^GOVERNANCE_LOG\.md:6: class: /m);
    assert.match(faults.join("\n"), /^GOVERNANCE_LOG\.md:6: opened: must be a time with its zone/m);
    assert.match(faults.join("\n"), /extra/);
    assert.match(
      parseLog("```json governance\n{\n```\n").faults[0]!,
      /^GOVERNANCE_LOG\.md:2: is not JSON/,
    );
  });

  it("ids count up without a gap, and what an entry names is before it", () => {
    const text = [entry(), entry({ id: "G-0003" })].map((e) => entryText(e, "x")).join("\n");
    assert.match(parseLog(text).faults.join(), /id must be G-0002, got G-0003/);
    const later = entryText(entry({ reverts: "G-0009" }), "x");
    assert.match(parseLog(later).faults.join(), /G-0001 names G-0009, and no entry before it/);
  });

  it("roles: unknown ones, and those that nobody holds, are refused with their line", () => {
    assert.throws(
      () => parseMaintainers("kings: mia"),
      /MAINTAINERS:1: must be `role: name, name`/,
    );
    assert.throws(() => parseMaintainers("maintainers: mia"), /nobody holds the role security/);
  });

  it("a policy that lacks or adds a rule is refused with its place", async () => {
    const policy = JSON.parse(await read(POLICY_FILE));
    policy.classes["0"].security = "sometimes";
    policy.king = "mia";
    const text = JSON.stringify(policy);
    assert.throws(() => parsePolicy(text), /policy\.json: classes\.0\.security: .*king/);
  });

  it("a snapshot is one identifier a line, and differences are told by name", () => {
    const before = { "cap:frameBytes": 1, "kind:busy": { reason: null }, "reason:tls": true };
    const text = snapshotText(before);
    assert.equal(text.split("\n").length, 6);
    assert.deepEqual(parseSnapshot(text), before);
    assert.deepEqual(differences(before, { "cap:frameBytes": 2, "reason:tls": true }), [
      { identifier: "cap:frameBytes", old: 1, new: 2 },
      { identifier: "kind:busy", old: { reason: null }, new: undefined },
    ]);
    assert.throws(() => parseSnapshot('{"frame":1}'), /snapshot\.json: .*family:name/);
  });
});
