/**
 * Sample changes with what the check says of each: one line of what differs, the record, and the words of
 * the refusals. Three maintainers, mia the author; a week of January 2026 whose Monday is the 5th.
 */

import type { LogEntry } from "../../src/governance/log.ts";

/** A difference: identifier, before, after; `undefined` is what is not there. */
export type Delta = readonly [string, unknown, unknown];

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly changes: readonly Delta[];
  /** The record; `null` for none. Its `touched` are the changes, unless given. */
  readonly record?: Partial<LogEntry> | null;
  /** Entries that were there before. */
  readonly before?: readonly Partial<LogEntry>[];
  /** Entries behind the record. */
  readonly after?: readonly Partial<LogEntry>[];
  /** The entries before, as head has them. */
  readonly rewritten?: readonly Partial<LogEntry>[];
  readonly maintainers?: readonly string[];
  readonly security?: readonly string[];
  readonly versions?: readonly [string, string];
  readonly changelog?: boolean;
  /** What the library is besides what changed. */
  readonly has?: Readonly<Record<string, unknown>>;
  readonly now?: string;
  /** Words of each refusal, in any order; none: accepted. */
  readonly refused?: readonly RegExp[];
  /** Whether it fails before the first release as well. */
  readonly immediate?: true;
}

const approve = (...names: string[]): { by: string; vote: "approve" }[] =>
  names.map((by) => ({ by, vote: "approve" as const }));
const votes = (maintainers: string[], security: string[] = []): LogEntry["votes"] => ({
  maintainers: approve(...maintainers),
  security: approve(...security),
});

const IDLE: Delta = ["default:idle_timeout", "60s", "30s"];
const FRAME: Delta = ["cap:frameBytes", 1_048_576, 2_097_152];
const LOWER: Delta = ["cap:frameBytes", 1_048_576, 524_288];
const REASON: Delta[] = [["reason:tls", true, undefined], ["reason:tls_error", undefined, true]];
const full: Partial<LogEntry> = {
  class: 0,
  votes: votes(["noah", "olga"], ["sven"]),
  version_step: "major",
};
const minor: Partial<LogEntry> = {
  class: 1,
  votes: votes(["noah", "olga"]),
  version_step: "minor",
};
const emergency: Partial<LogEntry> = {
  kind: "emergency",
  class: 0,
  votes: votes(["mia"]),
  version_step: "patch",
  opened: "2026-01-10T08:00:00Z",
  merged: "2026-01-10T09:00:00Z",
  date: "2026-01-10T12:00:00Z",
  proposal: "2026-01-12T09:00:00Z",
};

/** Changes that are in order. */
export const ACCEPTED: readonly Sample[] = [
  { name: "nothing differs", changes: [], record: null },
  { name: "a default, two maintainers, 72 hours", changes: [IDLE], record: minor },
  {
    name: "a default declared as class 0, with all that it asks for",
    changes: [IDLE],
    record: full,
  },
  {
    name: "a frame above 1 MiB with class 0, quorum, security and major",
    changes: [FRAME],
    record: full,
  },
  { name: "a ceiling that is lowered, as class 0", changes: [LOWER], record: full },
  { name: "a reason that is renamed, as class 0", changes: REASON, record: full },
  { name: "a new kind is class 1", changes: [["kind:quota", undefined, {}]], record: minor },
  {
    name: "a new histogram is class 1",
    changes: [["edges:x_seconds", undefined, [1, 2]], ["metric:x_seconds", undefined, "histogram"]],
    record: minor,
  },
  {
    name: "a further value of a label is class 1",
    changes: [["label:conn_inflight.backend", ["tcp", "tls"], ["arti", "tcp", "tls"]]],
    record: minor,
  },
  {
    name: "a further field of an audit event is class 1",
    changes: [["audit:TransportConfigReloaded.took", undefined, true]],
    record: minor,
  },
  {
    name: "a new key of the configuration is class 1",
    changes: [["default:linger", undefined, "0s"], ["setting:linger", undefined, {}]],
    record: minor,
  },
  {
    name: "post-quantum by default, signed by security",
    changes: [["default:pq.mode", "off", "hybrid"]],
    record: { ...minor, votes: votes(["noah", "olga"], ["sven"]) },
  },
  {
    name: "the time for bootstrapping Tor, signed by security",
    changes: [["default:arti.bootstrap_timeout", "30s", "60s"]],
    record: { ...minor, votes: votes(["noah", "olga"], ["sven"]) },
  },
  {
    name: "a further export needs no record, and a sentence",
    changes: [["export:.#pause", undefined, { takes: [] }]],
    record: null,
    changelog: true,
  },
  {
    name: "a further argument that may be left out needs no record",
    changes: [["export:.#dial", { takes: ["string"], gives: "void" }, {
      takes: ["string", "Options?"],
      gives: "void",
    }]],
    record: null,
  },
  {
    name: "an export that is gone, as class 0",
    changes: [["export:.#pause", { takes: [] }, undefined]],
    record: full,
    changelog: true,
  },
  {
    name: "all members of a class that is gone, by one pattern",
    changes: [["export:.#Pool", "class", undefined], [
      "export:.#Pool.take",
      { takes: [] },
      undefined,
    ]],
    record: { ...full, touched: [{ identifier: "export:.#Pool*", old: null, new: null }] },
    changelog: true,
  },
  {
    name: "another module that does the same needs no record",
    changes: [["artefact:sha256", "aa", "bb"]],
    record: null,
  },
  {
    name: "one more attempt that is refused",
    changes: [["guard:inflate: a new bomb", undefined, "too_large"]],
    record: null,
  },
  { name: "more tests of an invariant", changes: [["tested:I-G1", 3, 4]], record: null },
  {
    name: "code of TLS, signed by security",
    changes: [["path:src/tls/", "as it was", "1 file edited"]],
    record: {
      class: 2,
      votes: votes(["noah"], ["sven"]),
      version_step: "patch",
      merged: "2026-01-05T10:00:00Z",
    },
  },
  {
    name: "the check itself, as class 1",
    changes: [["path:src/governance/", "as it was", "2 files edited"]],
    record: minor,
  },
  {
    name: "a rule of the policy, as class 0",
    changes: [["policy:classes.2.review_hours", 0, 24]],
    record: full,
  },
  {
    name: "a maintainer joins, as class 0",
    changes: [["role:maintainers", ["mia", "noah", "olga"], ["mia", "noah", "olga", "paul"]]],
    record: full,
  },
  {
    name: "the wire, with four fifths and a week",
    changes: [["wire:flags.MORE", undefined, 256]],
    record: {
      ...full,
      votes: votes(["noah", "olga", "paul", "quinn"], ["sven"]),
      merged: "2026-01-12T09:00:00Z",
    },
    maintainers: ["mia", "noah", "olga", "paul", "quinn"],
  },
  {
    name: "the one maintainer of a project votes for herself",
    changes: [FRAME],
    record: { ...full, votes: votes(["mia"], ["mia"]) },
    maintainers: ["mia"],
    security: ["mia"],
  },
  {
    name: "two maintainers: the other one is all that can vote",
    changes: [IDLE],
    record: { ...minor, votes: votes(["noah"]) },
    maintainers: ["mia", "noah"],
  },
  {
    name: "not merged yet, and reviewed long enough",
    changes: [IDLE],
    record: { ...minor, merged: null },
    now: "2026-01-08T09:00:00Z",
  },
  {
    name: "72 hours over a weekend: Friday to Wednesday",
    changes: [IDLE],
    record: { ...minor, opened: "2026-01-09T09:00:00Z", merged: "2026-01-14T09:00:00Z" },
  },
  {
    name: "a zone that is not UTC",
    changes: [IDLE],
    record: { ...minor, opened: "2026-01-05T10:00:00+01:00", merged: "2026-01-08T10:00:00+01:00" },
  },
  {
    name: "a revert that says so",
    changes: [["default:idle_timeout", "30s", "60s"]],
    before: [{
      ...minor,
      touched: [{ identifier: "default:idle_timeout", old: "60s", new: "30s" }],
    }],
    record: { ...minor, kind: "revert", reverts: "G-0001" },
  },
  {
    name: "an emergency that lowers a ceiling, with entry and proposal in time",
    changes: [LOWER],
    record: emergency,
  },
  {
    name: "what follows from the lower ceiling goes with it",
    changes: [
      LOWER,
      ["range:limits.max_frame_bytes", "64KiB to 1MiB", "64KiB to 512KiB"],
      ["default:limits.max_frame_bytes", "1MiB", "512KiB"],
      ["policy:frozen.caps.frameBytes", 1_048_576, 524_288],
      ["artefact:sha256", "aa", "bb"],
    ],
    record: emergency,
  },
  {
    name: "an emergency whose proposal is not due yet",
    changes: [LOWER],
    record: { ...emergency, proposal: null },
    now: "2026-01-13T08:00:00Z",
  },
  {
    name: "the proposal came as an entry of its own",
    changes: [LOWER],
    record: { ...emergency, proposal: null },
    after: [{
      ...full,
      class: 0,
      supersedes: "G-0001",
      opened: "2026-01-12T09:00:00Z",
      merged: null,
      decision: "proposed",
      touched: [{ identifier: "cap:frameBytes", old: 1_048_576, new: 524_288 }],
    }],
  },
  {
    name: "a late emergency that auditors looked at",
    changes: [],
    record: null,
    has: { "cap:frameBytes": 524_288 },
    before: [{
      ...emergency,
      date: "2026-01-12T12:00:00Z",
      touched: [{ identifier: "cap:frameBytes", old: 1_048_576, new: 524_288 }],
    }, { kind: "audit", decision: "passed", supersedes: "G-0001", class: 2 }],
  },
  {
    name: "when an entry was merged is filled in later",
    changes: [],
    record: null,
    before: [{ ...minor, merged: null, touched: [] }],
    rewritten: [{ ...minor, merged: "2026-01-08T09:00:00Z", commit: "abc", touched: [] }],
  },
  {
    name: "a drill, an audit and an appeal are no changes",
    changes: [],
    record: null,
    before: [],
    after: [{ kind: "drill", decision: "passed", class: 2 }, {
      kind: "appeal",
      decision: "rejected",
      class: 2,
    }],
  },
  {
    name: "a major release of a class 0 change",
    changes: [FRAME],
    record: full,
    versions: ["1.4.2", "2.0.0"],
  },
  {
    name: "a minor release of a further export",
    changes: [["export:.#pause", undefined, { takes: [] }]],
    record: null,
    versions: ["1.4.2", "1.5.0"],
  },
  {
    name: "a patch release of nothing frozen",
    changes: [],
    record: null,
    versions: ["1.4.2", "1.4.3"],
  },
];

/** Changes that are not. */
export const REFUSED: readonly Sample[] = [
  {
    name: "a frame above 1 MiB and no record",
    changes: [FRAME],
    record: null,
    immediate: true,
    refused: [
      /^src\/caps\.ts: cap:frameBytes: 1048576 -> 2097152 \(class 0\); missing: a record of class 0 in GOVERNANCE_LOG\.md; .*governance draft/,
    ],
  },
  {
    name: "a frame above 1 MiB, labelled class 2",
    changes: [FRAME],
    record: { class: 2, votes: votes(["noah"]), version_step: "patch" },
    immediate: true,
    refused: [/cap:frameBytes.*G-0001 declares class 2, and it is class 0; propose it as class 0/],
  },
  {
    name: "a frame above 1 MiB, labelled class 1",
    changes: [FRAME],
    record: minor,
    immediate: true,
    refused: [/declares class 1, and it is class 0/],
  },
  {
    name: "a ceiling raised in a minor version",
    changes: [FRAME],
    record: { ...full, version_step: "minor" },
    immediate: true,
    refused: [/missing: a major step of the version; it declares minor; make it major/],
  },
  {
    name: "a ceiling raised with one vote of three",
    changes: [FRAME],
    record: { ...full, votes: votes(["noah"], ["sven"]) },
    immediate: true,
    refused: [/missing: approvals by maintainers: 1 of 2/],
  },
  {
    name: "a ceiling raised without security",
    changes: [FRAME],
    record: { ...full, votes: votes(["noah", "olga"]) },
    immediate: true,
    refused: [/missing: approvals by security: 0 of 1 \(class 0 asks for it\)/],
  },
  {
    name: "a ceiling that is gone",
    changes: [["cap:events", 1024, undefined]],
    record: null,
    immediate: true,
    refused: [/cap:events: 1024 -> none \(class 0\)/],
  },
  {
    name: "the guard lets a bomb through, whatever was approved",
    changes: [[
      "guard:inflate: a bomb of zstd",
      "DecompressBoundExceeded",
      "1048576 bytes came out",
    ]],
    record: full,
    immediate: true,
    refused: [
      /^src\/oap\/guard\.ts: guard:inflate: a bomb of zstd: .* \(no class allows it\); what was refused is not refused any more, and no approval makes that legal; put the refusal back/,
    ],
  },
  {
    name: "an attempt that is not tried any more",
    changes: [["guard:configuration: the guard off", "config_invalid", undefined]],
    record: full,
    immediate: true,
    refused: [
      /guard:configuration: the guard off: "config_invalid" -> none \(no class allows it\)/,
    ],
  },
  {
    name: "a key that turns the guard off",
    changes: [["guard:configuration: the guard off", "config_invalid", "allowed"]],
    record: full,
    immediate: true,
    refused: [/"config_invalid" -> "allowed" \(no class allows it\)/],
  },
  {
    name: "edges of a histogram, as class 1",
    changes: [["edges:handshake_latency_seconds", [0.1, 1], [0.1, 0.5, 1]]],
    record: minor,
    refused: [
      /^src\/histogram\.ts: edges:handshake_latency_seconds: \[0\.1,1\] -> \[0\.1,0\.5,1\] \(class 0\); G-0001 declares class 1/,
    ],
  },
  {
    name: "a reason that is renamed, without a record",
    changes: REASON,
    record: null,
    refused: [/reason:tls: true -> none \(class 0\)/, /reason:tls_error: none -> true \(class 0\)/],
  },
  {
    name: "a new reason as class 1",
    changes: [["reason:quota", undefined, true]],
    record: minor,
    refused: [/reason:quota: none -> true \(class 0\); G-0001 declares class 1/],
  },
  {
    name: "a kind that is gone",
    changes: [["kind:busy", { retry: "caller" }, undefined]],
    record: minor,
    refused: [/kind:busy.*\(class 0\); G-0001 declares class 1, and it is class 0/],
  },
  {
    name: "a kind that counts elsewhere",
    changes: [["kind:busy", { reason: null }, { reason: "rate_limited" }]],
    record: null,
    refused: [
      /^src\/errors\.ts: kind:busy: \{"reason":null\} -> \{"reason":"rate_limited"\} \(class 0\)/,
    ],
  },
  {
    name: "a new state of readiness",
    changes: [["readiness:Paused", undefined, true]],
    record: minor,
    refused: [/readiness:Paused: none -> true \(class 0\)/],
  },
  {
    name: "a reason of readiness in other words",
    changes: [["readiness_reason:draining", true, undefined], [
      "readiness_reason:closing",
      undefined,
      true,
    ]],
    record: null,
    refused: [/readiness_reason:closing.*class 0/, /readiness_reason:draining.*class 0/],
  },
  {
    name: "a field of an audit event is gone",
    changes: [["audit:TransportPolicyChanged.actor", true, undefined]],
    record: null,
    refused: [
      /^src\/audit\/events\.ts: audit:TransportPolicyChanged\.actor: true -> none \(class 0\)/,
    ],
  },
  {
    name: "a label of a metric, without a record",
    changes: [["label:rejected_total.peer", undefined, ["a"]]],
    record: null,
    refused: [
      /label:rejected_total\.peer: none -> \["a"\] \(class 1\); missing: a record of class 1/,
    ],
  },
  {
    name: "a value of a label is gone, as class 1",
    changes: [["label:conn_inflight.backend", ["tcp", "tls"], ["tcp"]]],
    record: minor,
    refused: [/\(class 0\); G-0001 declares class 1/],
  },
  {
    name: "a counter becomes a gauge",
    changes: [["metric:rejected_total", "counter", "gauge"]],
    record: null,
    refused: [/metric:rejected_total: "counter" -> "gauge" \(class 0\)/],
  },
  {
    name: "a default, without a record",
    changes: [IDLE],
    record: null,
    refused: [
      /^src\/config\/keys\.ts: default:idle_timeout: "60s" -> "30s" \(class 1\); missing: a record of class 1/,
    ],
  },
  {
    name: "a default, labelled class 2",
    changes: [IDLE],
    record: { ...minor, class: 2 },
    refused: [/declares class 2, and it is class 1/],
  },
  {
    name: "a default with the author's own vote",
    changes: [IDLE],
    record: { ...minor, votes: votes(["mia", "noah"]) },
    refused: [/approvals by maintainers: 1 of 2; mia is the author/],
  },
  {
    name: "votes of somebody who holds no role",
    changes: [IDLE],
    record: { ...minor, votes: votes(["noah", "eve"]) },
    refused: [/approvals by maintainers: 1 of 2; eve does not hold the role/],
  },
  {
    name: "one person votes twice",
    changes: [IDLE],
    record: { ...minor, votes: votes(["noah", "noah"]) },
    refused: [/approvals by maintainers: 1 of 2/],
  },
  {
    name: "somebody who approves and rejects",
    changes: [IDLE],
    record: {
      ...minor,
      votes: { maintainers: [...approve("noah", "olga"), { by: "olga", vote: "reject" }] },
    },
    refused: [/1 of 2; olga did not approve/],
  },
  {
    name: "reviewed for 71 hours",
    changes: [IDLE],
    record: { ...minor, merged: "2026-01-08T08:00:00Z" },
    refused: [
      /missing: review of 72 hours of weekdays, and it had 71\.0: not before 2026-01-08T09:00:00\.000Z/,
    ],
  },
  {
    name: "72 hours of which 48 are a weekend",
    changes: [IDLE],
    record: { ...minor, opened: "2026-01-09T09:00:00Z", merged: "2026-01-12T09:00:00Z" },
    refused: [/it had 24\.0: not before 2026-01-14T09:00:00\.000Z/],
  },
  {
    name: "not merged yet, and not reviewed long enough",
    changes: [IDLE],
    record: { ...minor, merged: null },
    now: "2026-01-06T09:00:00Z",
    refused: [/it had 24\.0/],
  },
  {
    name: "merged before it was opened",
    changes: [IDLE],
    record: { ...minor, opened: "2026-01-08T09:00:00Z", merged: "2026-01-05T09:00:00Z" },
    refused: [/a review: it was opened after it was merged/],
  },
  {
    name: "a merge that is to come",
    changes: [IDLE],
    record: { ...minor, merged: "2027-01-08T09:00:00Z" },
    refused: [/merged says 2027-01-08T09:00:00Z, which is to come/],
  },
  {
    name: "a default in a patch version",
    changes: [IDLE],
    record: { ...minor, version_step: "patch" },
    refused: [/missing: a minor step of the version; it declares patch/],
  },
  {
    name: "a decision that rejected it",
    changes: [IDLE],
    record: { ...minor, decision: "rejected" },
    refused: [/G-0001 names it and is rejected; leave the change out/],
  },
  {
    name: "a proposal that is not decided",
    changes: [IDLE],
    record: { ...minor, decision: "proposed" },
    refused: [/G-0001 names it and is proposed; merge it once that is decided/],
  },
  {
    name: "something else than was approved",
    changes: [IDLE],
    record: { ...minor, touched: [{ identifier: "default:idle_timeout", old: "60s", new: "45s" }] },
    refused: [
      /G-0001 approves "60s" -> "45s", which is something else; change only what was approved/,
    ],
  },
  {
    name: "an entry that does not name it",
    changes: [IDLE],
    record: { ...minor, touched: [{ identifier: "default:read_timeout", old: "5s", new: "5s" }] },
    has: { "default:read_timeout": "5s" },
    refused: [/default:idle_timeout.*missing: a record of class 1/],
  },
  {
    name: "post-quantum by default without security",
    changes: [["default:pq.mode", "off", "hybrid"]],
    record: minor,
    refused: [/approvals by security: 0 of 1 \(pq is touched\)/],
  },
  {
    name: "a default of TLS without security",
    changes: [["default:tls.enabled", false, true]],
    record: minor,
    refused: [/approvals by security: 0 of 1 \(tls is touched\)/],
  },
  {
    name: "amnesia without security",
    changes: [["reload:amnesia.enabled", "rebind", "hot"]],
    record: minor,
    refused: [/approvals by security: 0 of 1 \(amnesia is touched\)/],
  },
  {
    name: "the time for bootstrapping Tor without security",
    changes: [["default:arti.bootstrap_timeout", "30s", "60s"]],
    record: minor,
    refused: [/approvals by security: 0 of 1 \(tor is touched\)/],
  },
  {
    name: "code of TLS without a record",
    changes: [["path:src/tls/", "as it was", "1 file edited"]],
    record: null,
    refused: [
      /path:src\/tls\/.*\(class 2\); missing: a record with a signature of security, as tls is touched/,
    ],
  },
  {
    name: "code of TLS that security did not sign",
    changes: [["path:src/tls/", "as it was", "1 file edited"]],
    record: { class: 2, votes: votes(["noah"]), version_step: "patch" },
    refused: [/approvals by security: 0 of 1 \(tls is touched\)/],
  },
  {
    name: "the check itself without a record",
    changes: [["path:src/governance/", "as it was", "2 files edited"]],
    record: null,
    refused: [/path:src\/governance\/.*\(class 1\); missing: a record of class 1/],
  },
  {
    name: "a rule of the policy without a record",
    changes: [["policy:classes.0.review_hours", 72, 1]],
    record: null,
    refused: [/^governance\/policy\.json: policy:classes\.0\.review_hours: 72 -> 1 \(class 0\)/],
  },
  {
    name: "a role that changes hands without a record",
    changes: [["role:security", ["sven"], ["mia"]]],
    record: null,
    refused: [/^MAINTAINERS: role:security: \["sven"\] -> \["mia"\] \(class 0\)/],
  },
  {
    name: "an invariant in other words",
    changes: [["invariant:I-G1", "a", "b"]],
    record: minor,
    refused: [/invariant:I-G1: "a" -> "b" \(class 0\); G-0001 declares class 1/],
  },
  {
    name: "fewer tests of an invariant",
    changes: [["tested:I-G1", 4, 3]],
    record: null,
    refused: [/tested:I-G1: 4 -> 3 \(class 0\)/],
  },
  {
    name: "the variable of a key",
    changes: [["setting:max_conns", { env: "MAX_CONNS" }, { env: "CONNS" }]],
    record: minor,
    refused: [/setting:max_conns.*\(class 0\); G-0001 declares class 1/],
  },
  {
    name: "a wider range, without a record",
    changes: [["range:max_conns", "1 to 10", "1 to 100"]],
    record: null,
    refused: [/range:max_conns: "1 to 10" -> "1 to 100" \(class 1\)/],
  },
  {
    name: "an export with a further argument that must be given",
    changes: [["export:.#dial", { takes: ["string"], gives: "void" }, {
      takes: ["string", "Options"],
      gives: "void",
    }]],
    record: null,
    refused: [/export:\.#dial.*\(class 0\); missing: a record of class 0/],
  },
  {
    name: "an export that is gone, without a sentence in the changelog",
    changes: [["export:.#pause", { takes: [] }, undefined]],
    record: full,
    changelog: false,
    refused: [/a sentence in CHANGELOG\.md on the exports that changed/],
  },
  {
    name: "the wire with the quorum of class 0 and three days",
    changes: [["wire:flags.MORE", undefined, 256]],
    record: { ...full, votes: votes(["noah", "olga", "paul"], ["sven"]) },
    maintainers: ["mia", "noah", "olga", "paul", "quinn"],
    refused: [/approvals by maintainers: 3 of 4/, /review of 7 days, and it had 3\.0/],
  },
  {
    name: "what no family knows",
    changes: [["planet:mars", undefined, true]],
    record: null,
    refused: [/planet:mars: none -> true \(class 0\)/],
  },
  {
    name: "a revert that does not say so",
    changes: [["default:idle_timeout", "30s", "60s"]],
    before: [{
      ...minor,
      touched: [{ identifier: "default:idle_timeout", old: "60s", new: "30s" }],
    }],
    record: minor,
    refused: [
      /it takes back what G-0001 decided, and G-0002 does not say so; record it with "kind": "revert" and "reverts": "G-0001"/,
    ],
  },
  {
    name: "a silent revert",
    changes: [["default:idle_timeout", "30s", "60s"]],
    before: [{
      ...minor,
      touched: [{ identifier: "default:idle_timeout", old: "60s", new: "30s" }],
    }],
    record: null,
    refused: [/default:idle_timeout.*missing: a record of class 1/],
  },
  {
    name: "a silent revert between two releases",
    changes: [],
    has: { "default:idle_timeout": "60s" },
    record: { ...minor, touched: [{ identifier: "default:idle_timeout", old: "60s", new: "30s" }] },
    refused: [
      /^GOVERNANCE_LOG\.md: default:idle_timeout: "30s" -> "60s" \(class 1\); it is not what G-0001 decided: a revert needs a record of its own/,
    ],
  },
  {
    name: "an emergency that raises",
    changes: [FRAME],
    record: emergency,
    immediate: true,
    refused: [
      /^src\/caps\.ts: cap:frameBytes: 1048576 -> 2097152 \(class 0\); G-0001: an emergency may lower ceilings and nothing else; propose the rest/,
    ],
  },
  {
    name: "an emergency that changes a default as well",
    changes: [LOWER, IDLE],
    record: emergency,
    refused: [/default:idle_timeout.*an emergency may lower ceilings and nothing else/],
  },
  {
    name: "an emergency whose entry came after 27 hours",
    changes: [LOWER],
    record: { ...emergency, date: "2026-01-11T12:00:00Z" },
    refused: [
      /G-0001: the entry came 27\.0 hours after the merge, later than 24; have the auditors look at it/,
    ],
  },
  {
    name: "an emergency whose proposal is overdue, over a weekend",
    changes: [LOWER],
    record: { ...emergency, proposal: null },
    now: "2026-01-13T10:00:00Z",
    refused: [
      /missing: the proposal, which was due 72 hours after the merge, at 2026-01-13T09:00:00\.000Z; propose it now/,
    ],
  },
  {
    name: "an emergency whose proposal came late",
    changes: [LOWER],
    record: { ...emergency, proposal: "2026-01-14T09:00:00Z" },
    refused: [/the proposal came 96\.0 hours after the merge, later than 72/],
  },
  {
    name: "an emergency that does not say when",
    changes: [LOWER],
    record: { ...emergency, merged: null },
    refused: [/missing: when it was merged/],
  },
  {
    name: "a hotfix by somebody who is no maintainer",
    changes: [LOWER],
    record: { ...emergency, author: "eve" },
    refused: [/eve is no maintainer, and only they may make a hotfix/],
  },
  {
    name: "a lowered ceiling without any entry",
    changes: [LOWER],
    record: null,
    refused: [/cap:frameBytes: 1048576 -> 524288 \(class 0\); missing: a record of class 0/],
  },
  {
    name: "an entry that is gone",
    changes: [],
    record: null,
    before: [{ ...minor, touched: [] }],
    rewritten: [],
    refused: [/^GOVERNANCE_LOG\.md: log:G-0001: .*the entry is gone; put it back/],
  },
  {
    name: "an entry that was rewritten",
    changes: [],
    record: null,
    before: [{ ...minor, touched: [] }],
    rewritten: [{ ...minor, rationale: "Another.", touched: [] }],
    refused: [
      /log:G-0001: .*the entry is not what it was; put it back, and add one that supersedes it/,
    ],
  },
  {
    name: "a class 0 change in a minor release",
    changes: [FRAME],
    record: full,
    versions: ["1.4.2", "1.5.0"],
    immediate: true,
    refused: [
      /^deno\.json: version: "1\.4\.2" -> "1\.5\.0" \(class 0\); missing: a major step, for cap:frameBytes; it is minor; release it as a major version/,
    ],
  },
  {
    name: "a default in a patch release",
    changes: [IDLE],
    record: minor,
    versions: ["1.4.2", "1.4.3"],
    refused: [/missing: a minor step, for default:idle_timeout; it is patch/],
  },
  {
    name: "a further export in a patch release",
    changes: [["export:.#pause", undefined, { takes: [] }]],
    record: null,
    versions: ["1.4.2", "1.4.3"],
    refused: [/missing: a minor step, for export:\.#pause; it is patch/],
  },
  {
    name: "a version that goes back",
    changes: [],
    record: null,
    versions: ["1.4.2", "1.4.1"],
    refused: [/version: "1\.4\.2" -> "1\.4\.1".*the version goes back/],
  },
  {
    name: "a release whose exports the changelog leaves out",
    changes: [["export:.#pause", undefined, { takes: [] }]],
    record: null,
    versions: ["1.4.2", "1.5.0"],
    changelog: false,
    refused: [/missing: export:\.#pause in CHANGELOG\.md; say what changed for a user/],
  },
];
