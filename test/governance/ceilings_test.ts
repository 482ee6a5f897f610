/** Figures that the policy fixes, against every place that has them; and the events of what was decided. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ceilingFaults,
  frozenFaults,
  guardFaults,
  RUST_CAPS,
  rustCaps,
} from "../../src/governance/ceilings.ts";
import { policyEvents } from "../../src/governance/events.ts";
import { parseSnapshot, SNAPSHOT_FILE } from "../../src/governance/identifiers.ts";
import { LOG_FILE, parseLog } from "../../src/governance/log.ts";
import { parsePolicy, POLICY_FILE } from "../../src/governance/policy.ts";
import { refusalText } from "../../src/governance/refusal.ts";
import { describe, it, ROOT } from "../harness.ts";

const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");
const { frozen } = parsePolicy(await read(POLICY_FILE));
const snapshot = parseSnapshot(await read(SNAPSHOT_FILE));
const rust = await read(RUST_CAPS);

/** The faults of ceilings when one place has other figures. */
function ceilings(
  at: "rust" | "module" | "library" | "digest",
  name: string,
  value?: number,
): string[] {
  const other: Record<string, number> = { ...frozen.caps };
  if (value === undefined) delete other[name];
  else other[name] = value;
  const source = Object.entries(other).map(([key, n]) =>
    `pub const ${key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}: usize = ${n};`
  ).join("\n");
  const found = {
    ceilings: {
      module: at === "module" ? other : frozen.caps,
      library: at === "library" ? other : frozen.caps,
    },
    expectedSha256: "aa",
  };
  const sha256 = at === "digest" ? "bb" : "aa";
  const faults = ceilingFaults(frozen, { found, sha256, rust: at === "rust" ? source : rust });
  return [...faults].map(refusalText);
}

describe("figures that the policy fixes", () => {
  it("I-G1: every ceiling, one above it, in each of the three places: told with its file", () => {
    const places = [["rust", RUST_CAPS], ["module", "src/oap/hot_wasm.ts"], [
      "library",
      "src/caps.ts",
    ]];
    for (const [place, file] of places) {
      for (const [name, cap] of Object.entries(frozen.caps)) {
        const [raised, ...none] = ceilings(place as "rust", name, cap + 1);
        assert.equal(none.length, 0);
        assert.ok(
          raised?.startsWith(
            `${file}: cap:${name}: ${cap} -> ${cap + 1} (class 0); a ceiling is raised`,
          ),
        );
        assert.match(
          ceilings(place as "rust", name, cap - 1)[0] ?? "",
          /\(class 0\); it is not what/,
        );
        assert.match(
          ceilings(place as "rust", name)[0] ?? "",
          /-> none \(class 0\); a ceiling is raised/,
        );
      }
    }
    assert.deepEqual(ceilings("library", "frameBytes", frozen.caps["frameBytes"]), []);
    assert.deepEqual(rustCaps(rust), frozen.caps);
  });

  it("a module whose bytes are not those of its digest is told", () => {
    const [fault] = ceilings("digest", "frameBytes", frozen.caps["frameBytes"]);
    assert.match(
      fault ?? "",
      /^src\/oap\/hot_wasm\.ts: artefact:sha256: "aa" -> "bb" \(class 0\); the module is not the one/,
    );
  });

  it("each fixed name and edge that is gone or added is told, and nothing else", () => {
    assert.deepEqual([...frozenFaults(frozen, snapshot)], []);
    for (
      const name of [
        "reason:tls",
        "kind:busy",
        "readiness:Ready",
        "readiness_reason:tls",
        "audit:TransportPolicyChanged.ts",
        "label:rejected_total.reason",
        "edges:io_chunk_bytes",
      ]
    ) {
      const { [name]: _, ...rest } = snapshot;
      const faults = [...frozenFaults(frozen, rest)];
      assert.deepEqual(faults.map(({ identifier }) => identifier), [name]);
      assert.ok(faults[0]!.immediate);
    }
    const more = { ...snapshot, "reason:quota": true, "kind:quota": {} };
    assert.deepEqual([...frozenFaults(frozen, more)].map(refusalText).length, 1);
  });

  it("I-8b: an attempt on the guard that gets through is never legal", () => {
    assert.deepEqual([...guardFaults(snapshot)], []);
    for (const outcome of ["9 bytes came out", "allowed", "answered 0"]) {
      const [fault] = guardFaults({ "guard:decoder: a frame with a bomb": outcome });
      assert.match(refusalText(fault!), /no class allows it\); the guard lets it through/);
    }
    const names = "guard:configuration: keys that name the guard or a ceiling";
    assert.equal([...guardFaults({ [names]: "limits.inflate_ratio" })].length, 1);
  });
});

describe("audit events of the log", () => {
  it("each identifier of an approved and merged entry is one event, checked by the library", async () => {
    const { entries } = parseLog(await read(LOG_FILE));
    const events = policyEvents(entries.slice(0, 1), "abc123");
    assert.equal(events.length, entries[0]!.touched.length);
    assert.deepEqual({ ...events[0] }, {
      event: "TransportPolicyChanged",
      class: 0,
      old: "cap:frameBytes = none",
      new: "cap:frameBytes = 1048576",
      actor: entries[0]!.author,
      pr: "docs/GOVERNANCE.md",
      commit: "abc123",
      ts: entries[0]!.merged,
    });
    const proposed = { ...entries[0]!, decision: "proposed" as const };
    assert.deepEqual(policyEvents([proposed, { ...entries[0]!, merged: null }], "abc"), []);
    const long = {
      ...entries[0]!,
      touched: [{ identifier: "export:.#x", old: null, new: "y".repeat(5_000) }],
    };
    assert.equal(policyEvents([long], "abc")[0]!.new.length, 1_024);
  });
});
