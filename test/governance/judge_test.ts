/** What the check says of sample changes, each with its words; dates are given, none is today's. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { classify } from "../../src/governance/classify.ts";
import type { Identifiers } from "../../src/governance/identifiers.ts";
import { judge } from "../../src/governance/judge.ts";
import type { GovernanceLog, Json, LogEntry } from "../../src/governance/log.ts";
import type { Holders } from "../../src/governance/maintainers.ts";
import { parsePolicy, POLICY_FILE } from "../../src/governance/policy.ts";
import { type Refusal, refusalText } from "../../src/governance/refusal.ts";
import { reviewEnd, reviewHours } from "../../src/governance/review_clock.ts";
import { describe, it, ROOT } from "../harness.ts";
import { ACCEPTED, REFUSED, type Sample } from "./samples.ts";

const policy = parsePolicy(await readFile(join(ROOT, POLICY_FILE), "utf8"));

function entry(fields: Partial<LogEntry>): LogEntry {
  return {
    id: "G-0001",
    date: "2026-01-05T09:00:00Z",
    kind: "change",
    class: 1,
    decision: "approved",
    author: "mia",
    votes: {},
    rationale: "It serves.",
    links: ["#1"],
    evidence: [],
    supersedes: null,
    reverts: null,
    touched: [],
    opened: "2026-01-05T09:00:00Z",
    merged: "2026-01-08T09:00:00Z",
    commit: null,
    proposal: null,
    version_step: "none",
    ...fields,
  };
}

function logOf(entries: readonly Partial<LogEntry>[]): GovernanceLog {
  const numbered = entries.map((fields, i) => entry({ id: `G-000${i + 1}`, ...fields }));
  return { entries: numbered, faults: [] };
}

function refusalsOf(sample: Sample): Refusal[] {
  const { changes, record, before = [], after = [], rewritten = before } = sample;
  const touched = changes.map(([identifier, old = null, now = null]) => ({
    identifier,
    old: old as Json,
    new: now as Json,
  }));
  const records = record === null ? [] : [{ touched, ...record }];
  const identifiers: Record<string, Json> = {};
  for (const [identifier, , now] of changes) {
    if (now !== undefined) identifiers[identifier] = now as Json;
  }
  return judge({
    policy,
    holders: {
      maintainers: sample.maintainers ?? ["mia", "noah", "olga"],
      security: sample.security ?? ["sven"],
      service_owners: ["zoe"],
      release_manager: ["ruth"],
      auditors: ["anna"],
    } satisfies Holders,
    changes: changes.map(([identifier, old, now]) => {
      const difference = { identifier, old: old as Json | undefined, new: now as Json | undefined };
      const family = policy.families[identifier.split(":")[0]!];
      return classify(policy, difference, family?.files[0] ?? identifier);
    }),
    identifiers: { ...identifiers, ...sample.has as Identifiers },
    log: logOf([...rewritten, ...records, ...after]),
    baseLog: logOf(before),
    versions: { base: sample.versions?.[0] ?? "1.0.0", head: sample.versions?.[1] ?? "1.0.0" },
    changelog: sample.changelog ?? true,
    now: Date.parse(sample.now ?? "2026-02-02T09:00:00Z"),
  });
}

describe("governance check: changes that are in order", () => {
  for (const sample of ACCEPTED) {
    it(sample.name, () => {
      assert.deepEqual(refusalsOf(sample).map(refusalText), []);
    });
  }
});

describe("governance check: changes that are refused", () => {
  for (const sample of REFUSED) {
    it(sample.name, () => {
      const refusals = refusalsOf(sample);
      const texts = refusals.map(refusalText);
      const words = sample.refused ?? [];
      assert.equal(texts.length, words.length, texts.join("\n"));
      for (const word of words) assert.ok(texts.some((text) => word.test(text)), texts.join("\n"));
      assert.equal(refusals.some(({ immediate }) => immediate), sample.immediate === true);
      for (const { file, identifier, missing, remedy } of refusals) {
        assert.ok(file !== "" && identifier !== "" && missing !== "" && remedy !== "");
      }
    });
  }

  it("there are at least sixty samples, and no two have one name", () => {
    const names = [...ACCEPTED, ...REFUSED].map(({ name }) => name);
    assert.ok(names.length >= 60, String(names.length));
    assert.equal(new Set(names).size, names.length);
  });
});

describe("the review clock", () => {
  const at = (text: string): number => Date.parse(text);

  it("counts hours of weekdays in UTC, whole weeks and parts of days", () => {
    const friday = at("2026-01-09T12:00:00Z");
    assert.equal(reviewHours(friday, at("2026-01-12T12:00:00Z")), 24);
    assert.equal(reviewHours(friday, at("2026-01-23T12:00:00Z")), 240);
    assert.equal(reviewHours(at("2026-01-10T00:00:00Z"), at("2026-01-11T23:59:59Z")), 0);
    assert.equal(reviewHours(friday, friday - 1), 0);
    assert.equal(reviewHours(at("2020-01-01T00:00:00Z"), at("2020-01-01T00:30:00Z")), 0.5);
  });

  it("its end is where its hours are: for any start and length", () => {
    for (let i = 0; i < 300; i++) {
      const from = at("2026-01-01T00:00:00Z") + i * 7 * 3_600_000 + i * 61_000;
      const hours = i % 100 + 1;
      const end = reviewEnd(from, hours);
      assert.ok(Math.abs(reviewHours(from, end) - hours) < 1e-9, `${i}`);
      assert.ok(reviewHours(from, end - 1_000) < hours, `${i}`);
    }
  });
});
