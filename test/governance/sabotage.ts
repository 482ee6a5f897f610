/**
 * Sabotage: what an insider would try, and the words of the refusal.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { entryText, type LogEntry, nextId, parseLog } from "../../src/governance/log.ts";
import type { Policy } from "../../src/governance/policy.ts";
import type { Scratch } from "./scratch.ts";

/** One attempt. */
export interface Sabotage {
  readonly name: string;
  /** Makes it. */
  readonly edit: (tree: Scratch) => void | Promise<void>;
  /** Words of refusals that must be among those printed. */
  readonly words: readonly RegExp[];
}

const MIB = 1_048_576;

/** The ten attempts that every change of the check is held to. */
export const TEN: readonly Sabotage[] = [
  {
    name: "a ceiling in Rust",
    edit: (tree) => tree.edit("wasm/core/src/caps.rs", raiseRust),
    words: [
      /^REFUSED wasm\/core\/src\/caps\.rs: cap:frameBytes: 1048576 -> 2097152 \(class 0\); a ceiling is raised: it is not what governance\/policy\.json fixes; put it back; .*class 0 with a major release/m,
    ],
  },
  {
    name: "a ceiling in TypeScript",
    edit: (tree) => tree.edit("src/caps.ts", raiseTypeScript),
    words: [
      /^REFUSED src\/caps\.ts: cap:frameBytes: 1048576 -> 2097152 \(class 0\); a ceiling is raised/m,
    ],
  },
  {
    name:
      "a ceiling in Rust, TypeScript, the module, the policy and the snapshot, labelled class 2",
    edit: async (tree) => {
      tree.edit("wasm/core/src/caps.rs", raiseRust);
      tree.edit("src/caps.ts", raiseTypeScript);
      tree.edit("src/oap/hot_wasm.ts", raiseModule);
      tree.edit(
        "governance/policy.json",
        (text) => text.replace('"frameBytes": 1048576', '"frameBytes": 2097152'),
      );
      await tree.governance("snapshot", "--write");
      tree.edit("GOVERNANCE_LOG.md", (text) =>
        `${text}\n${
          entryText(
            record({
              id: nextId(parseLog(text)),
              class: 2,
              version_step: "patch",
              touched: [{ identifier: "cap:frameBytes", old: MIB, new: 2 * MIB }],
            }),
            "Larger frames",
          )
        }`);
    },
    words: [
      /^REFUSED .*src\/caps\.ts.*: cap:frameBytes: 1048576 -> 2097152 \(class 0\); G-\d{4} declares class 2, and it is class 0; propose it as class 0$/m,
      /^REFUSED governance\/policy\.json: policy:frozen\.caps\.frameBytes: 1048576 -> 2097152 \(class 0\); missing: a record of class 0/m,
    ],
  },
  {
    name: "an edge of a histogram",
    edit: (tree) =>
      tree.edit("src/histogram.ts", (text) => text.replace("0.01, 0.025,", "0.01, 0.03,")),
    words: [
      /^REFUSED src\/histogram\.ts: edges:handshake_latency_seconds: \[0\.01,0\.025,.* -> \[0\.01,0\.03,.* \(class 0\); the library is not what governance\/snapshot\.json says/m,
      /^REFUSED src\/histogram\.ts: edges:handshake_latency_seconds: .* missing: a record of class 0 in GOVERNANCE_LOG\.md/m,
    ],
  },
  {
    name: "a reason that is renamed",
    edit: (tree) =>
      tree.edit(
        "src/metrics/families.ts",
        (text) => text.replace('"rate_limited"', '"rate_limit"'),
      ),
    words: [
      /^REFUSED .*: reason:rate_limited: true -> none \(class 0\)/m,
      /^REFUSED .*: reason:rate_limit: none -> true \(class 0\)/m,
    ],
  },
  {
    name: "a label of a metric",
    edit: (tree) =>
      tree.edit(
        "src/metrics/families.ts",
        (text) =>
          text.replace(/("bus_lagged_total",\s+"[^"]+",\s+)\{\}/, '$1{ peer: ["203.0.113.7"] }'),
      ),
    words: [
      /^REFUSED src\/metrics\/families\.ts: label:bus_lagged_total\.peer: none -> \["203\.0\.113\.7"\] \(class 1\); the library is not what governance\/snapshot\.json says/m,
      /label:bus_lagged_total\.peer: .* missing: a record of class 1/,
    ],
  },
  {
    name: "the guard and the digest, passed by",
    edit: (tree) => {
      tree.edit("src/oap/guard.ts", (text) =>
        text.replace(
          "const out = hot().inflate(codec, bytes, budget, 0);",
          "const out = new Uint8Array(1_048_576 + codec + budget);",
        ));
      tree.edit("src/oap/instance.ts", (text) =>
        text.replace(
          "shared.artefact.prove()",
          "Uint8Array.from(atob(WASM_BASE64), (c) => c.charCodeAt(0))",
        ));
    },
    words: [
      /^REFUSED src\/oap\/guard\.ts, src\/oap\/instance\.ts: guard:inflate: a bomb of zstd: "DecompressBoundExceeded" -> "\d+ bytes came out" \(no class allows it\); what was refused is not refused any more, and no approval makes that legal; put the refusal back$/m,
      /guard:inflate: a bomb of gzip, with switches: .* no approval makes that legal/,
      /^REFUSED .*: guard:module: other bytes than those of the digest: "internal" -> "allowed" \(no class allows it\)/m,
    ],
  },
  {
    name: "a rule of the policy",
    edit: (tree) =>
      tree.edit(
        "governance/policy.json",
        (text) => text.replace('"share": [2, 3]', '"share": [1, 3]'),
      ),
    words: [
      /^REFUSED governance\/policy\.json: policy:digest: .*the library is not what governance\/snapshot\.json says/m,
      /^REFUSED governance\/policy\.json: policy:classes\.0\.maintainers\.share: \[2,3\] -> \[1,3\] \(class 0\); missing: a record of class 0/m,
    ],
  },
  {
    name: "the snapshot alone",
    edit: (tree) =>
      tree.edit(
        "governance/snapshot.json",
        (text) => text.replace('"cap:events": 1024', '"cap:events": 4096'),
      ),
    words: [
      /^REFUSED .*: cap:events: 4096 -> 1024 \(class 0\); the library is not what governance\/snapshot\.json says; undo it, or run/m,
    ],
  },
  {
    name: "a default, whose record has too few approvals",
    edit: async (tree) => {
      tree.edit("src/config/keys.ts", (text) => text.replace('default: "60s"', 'default: "90s"'));
      await tree.governance("snapshot", "--write");
      tree.edit("GOVERNANCE_LOG.md", (text) =>
        `${text}\n${
          entryText(
            record({
              id: nextId(parseLog(text)),
              class: 1,
              version_step: "minor",
              votes: { maintainers: [{ by: "somebody else", vote: "approve" }] },
              touched: [{ identifier: "default:idle_timeout", old: "60s", new: "90s" }],
            }),
            "Longer idle",
          )
        }`);
    },
    words: [
      /^REFUSED src\/config\/keys\.ts: default:idle_timeout: "60s" -> "90s" \(class 1\); G-\d{4}: missing: approvals by maintainers: 0 of 1; somebody else does not hold the role; merge it once that is there$/m,
    ],
  },
];

/**
 * An attempt at something drawn from the frozen figures of the policy.
 *
 * @param draw Gives numbers in [0, 1).
 */
export function drawn({ frozen }: Policy, draw: () => number): Sabotage {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)]!;
  const word = (old: string): string => `${old}_${Math.floor(draw() * 1e6).toString(36)}`;
  const refused = (identifier: string, class_: number): RegExp =>
    new RegExp(`^REFUSED \\S.*: ${escape(identifier)}: .* \\(class ${class_}\\)`, "m");
  const replaceAll = (path: string, old: string, now: string) => (tree: Scratch): void =>
    tree.edit(path, (text) => text.replaceAll(old, now));
  switch (pick(["cap", "edge", "kind", "readiness", "audit", "default"])) {
    case "cap": {
      const cap = pick(Object.keys(frozen.caps));
      const more = frozen.caps[cap]! + 1 + Math.floor(draw() * 1_000);
      const edit = (tree: Scratch): void =>
        tree.edit(
          "src/caps.ts",
          (text) => text.replace(new RegExp(`(  ${cap}: )[\\d_]+,`), `$1${more},`),
        );
      return { name: `${cap} is ${more} in TypeScript`, edit, words: [refused(`cap:${cap}`, 0)] };
    }
    case "edge": {
      const edge = pick(frozen.edges["handshake_latency_seconds"]!.slice(0, 6));
      const now = Number((edge * (1.1 + draw() / 10)).toFixed(4));
      return {
        name: `the edge ${edge} is ${now}`,
        edit: replaceAll("src/histogram.ts", ` ${edge},`, ` ${now},`),
        words: [refused("edges:handshake_latency_seconds", 0)],
      };
    }
    case "kind": {
      const kind = pick(frozen.kinds);
      const other = word(kind);
      const edit = (tree: Scratch): void =>
        tree.edit(
          "src/errors.ts",
          (text) => text.replace(`\n  ${kind}: info(`, `\n  ${other}: info(`),
        );
      return { name: `the kind ${kind} is ${other}`, edit, words: [refused(`kind:${kind}`, 0)] };
    }
    case "readiness": {
      const reason = pick(frozen.readiness_reasons);
      const other = word(reason);
      return {
        name: `the readiness reason ${reason} is ${other}`,
        edit: replaceAll("src/readiness.ts", `| "${reason}"`, `| "${other}"`),
        words: [refused(`readiness_reason:${reason}`, 0), refused(`readiness_reason:${other}`, 0)],
      };
    }
    case "audit": {
      const field = pick(["actor", "pr", "commit"]);
      const other = word(field);
      const edit = (tree: Scratch): void =>
        tree.edit(
          "src/audit/policy.ts",
          (text) => text.replace(`\n    ${field},\n`, `\n    ${other}: ${field},\n`),
        );
      return {
        name: `the audit field ${field} is ${other}`,
        edit,
        words: [refused(`audit:TransportPolicyChanged.${field}`, 0)],
      };
    }
    default: {
      const [key, old] = pick([["read_timeout", "5s"], ["idle_timeout", "60s"], [
        "handshake_timeout",
        "5s",
      ]]);
      const now = `${61 + Math.floor(draw() * 100)}s`;
      const edit = (tree: Scratch): void =>
        tree.edit(
          "src/config/keys.ts",
          (text) =>
            text.replace(new RegExp(`(\\n  ${key}: \\{[^}]*?default: )"${old}"`), `$1"${now}"`),
        );
      return { name: `${key} is ${now} by default`, edit, words: [refused(`default:${key}`, 1)] };
    }
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function raiseRust(text: string): string {
  return text.replace("FRAME_BYTES: usize = 1_048_576", "FRAME_BYTES: usize = 2_097_152");
}

function raiseTypeScript(text: string): string {
  return text.replace("frameBytes: 1_048_576", "frameBytes: 2_097_152");
}

/**
 * The module with a frame of 2 MiB, made without a compiler: in its table, and wherever its code loads the
 * constant. The digest is that of the new bytes.
 */
export function raiseModule(text: string): string {
  const parts = /(export const WASM_BASE64: string =\n)([\s\S]*?);\n/.exec(text)!;
  const base64 = [...parts[2]!.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join("");
  const bytes = Buffer.from(base64, "base64");
  const table = Buffer.alloc(8);
  table.writeUInt32LE(MIB, 0);
  table.writeUInt32LE(65_536, 4);
  const at = bytes.indexOf(table);
  if (at < 0) throw new Error("the module has no table of ceilings");
  bytes.writeUInt32LE(2 * MIB, at);
  // i32.const 1048576 and 2097152, in LEB128 of the same length
  const [old, now] = [
    Buffer.from([0x41, 0x80, 0x80, 0xc0, 0x00]),
    Buffer.from([0x41, 0x80, 0x80, 0x80, 0x01]),
  ];
  for (let i = bytes.indexOf(old); i >= 0; i = bytes.indexOf(old, i + 5)) now.copy(bytes, i);
  const lines = bytes.toString("base64").match(/.{1,110}/g)!.map((line) => `  "${line}"`);
  const digest = createHash("sha256").update(bytes).digest("hex");
  return text.replace(parts[0], `${parts[1]}${lines.join(" +\n")};\n`)
    .replace(/(WASM_SHA256: string = ")[0-9a-f]+/, `$1${digest}`);
}

function record(fields: Partial<LogEntry>): LogEntry {
  return {
    id: "G-0002",
    date: "2026-11-23T09:00:00Z",
    kind: "change",
    class: 2,
    decision: "approved",
    author: "mia",
    votes: {},
    rationale: "It is asked for.",
    links: ["#7"],
    evidence: ["none"],
    supersedes: null,
    reverts: null,
    touched: [],
    opened: "2026-11-18T09:00:00Z",
    merged: "2026-11-23T09:00:00Z",
    commit: null,
    proposal: null,
    version_step: "patch",
    ...fields,
  };
}
