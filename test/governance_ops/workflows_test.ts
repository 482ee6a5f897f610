/** The workflow files: YAML that parses, pinned actions, and the gates where they belong. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
// @ts-types="../std_yaml.d.ts"
import { parse } from "deno-std/yaml/mod.js";
import { describe, it, ROOT } from "../harness.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly "runs-on": string;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = join(ROOT, ".github/workflows");
const workflows = new Map(
  readdirSync(FOLDER).filter((name) => name.endsWith(".yml")).map((name) =>
    [name, parse(readFileSync(join(FOLDER, name), "utf8")) as Workflow] as const
  ),
);
const stepsOf = ({ jobs }: Workflow): Step[] => Object.values(jobs).flatMap(({ steps }) => steps);
const both = ["ubuntu-24.04", "ubuntu-24.04-arm"];

describe("I-16: workflows", () => {
  it("parse, may only read, end in time, and take actions by their full version", () => {
    assert.deepEqual([...workflows.keys()].sort(), ["addon.yml", "merge.yml", "nightly.yml"]);
    for (const [name, workflow] of workflows) {
      assert.deepEqual(workflow.permissions, { contents: "read" }, name);
      for (const job of Object.values(workflow.jobs)) {
        assert.ok((job["timeout-minutes"] ?? 999) < 360);
      }
      for (const { uses } of stepsOf(workflow)) {
        if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/, name);
      }
    }
  });

  it("a merge runs .ci/run, and every set of entries on Deno and Bun, on both architectures", () => {
    const merge = workflows.get("merge.yml")!;
    assert.ok("pull_request" in merge.on);
    assert.ok(stepsOf(merge).some(({ run }) => run === "bash .ci/run"));
    assert.deepEqual(merge.jobs["ci"]!.strategy!.matrix["os"], both);
    assert.deepEqual(merge.jobs["entries"]!.strategy!.matrix, {
      os: both,
      runtime: ["deno", "bun"],
      entries: ["core", "core+tls", "core+arti", "core+tls+arti"],
    });
  });

  it("a night is scheduled, and its artefacts are kept for 30 days, whatever came of it", () => {
    const nightly = workflows.get("nightly.yml")!;
    const schedule = nightly.on["schedule"] as readonly { cron: string }[];
    assert.match(schedule[0]!.cron, /^\d+ \d+ \* \* \*$/);
    assert.deepEqual(nightly.jobs["gold"]!.strategy!.matrix["os"], both);
    const steps = stepsOf(nightly);
    assert.ok(steps.some(({ run }) => run?.includes("task nightly")));
    const kept = steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
    assert.equal(kept?.with?.["retention-days"], 30);
    assert.equal((kept as { if?: string }).if, "always()");
  });
});
