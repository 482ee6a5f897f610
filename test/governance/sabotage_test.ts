/**
 * The check on the tree as it is, and on copies of it that were sabotaged: it refuses each with the right words.
 *
 * Only under Deno: whatever runtime the command is started by, it is Deno that runs the two libraries it
 * compares, so the others would do the same again, for minutes.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkTree } from "../../src/cli/governance_check.ts";
import type { Bases } from "../../src/cli/governance_compare.ts";
import { parsePolicy, POLICY_FILE } from "../../src/governance/policy.ts";
import { random } from "../../src/testing/random.ts";
import { describe, it, ROOT, runtimeName } from "../harness.ts";
import { drawn, type Sabotage, TEN } from "./sabotage.ts";
import { type Scratch, scratch } from "./scratch.ts";

const skip = runtimeName() === "deno" ? false : "Deno runs the libraries that are compared";
const patience = { skip, timeout: 600_000 };
const SEED = 20_261_129;

/** Each attempt is judged by what the command calls; the base, which is the same, is run once. */
async function refuses(tree: Scratch, attempts: readonly Sabotage[]): Promise<void> {
  const bases: Bases = new Map();
  for (const { name, edit, words } of attempts) {
    tree.restore();
    await edit(tree);
    const { code, text } = await checkTree(tree.root, "v0.1.0", bases);
    assert.equal(code, 1, `${name}: ${text}`);
    for (const word of words) assert.match(text, word, name);
    assert.match(text, /^governance: \d+ refused$/m);
  }
}

describe("governance check on sabotaged copies", () => {
  it(
    "I-G1, I-G4, I-G5, I-G7: ten attempts of an insider are refused with the right words",
    patience,
    async () => {
      using tree = scratch("v0.1.0");
      assert.equal(TEN.length, 10);
      await refuses(tree, TEN);
    },
  );

  it("five more, drawn from the frozen figures by a seed, are refused", patience, async () => {
    const policy = parsePolicy(await readFile(join(ROOT, POLICY_FILE), "utf8"));
    const draw = random(SEED);
    using tree = scratch("v0.1.0");
    await refuses(tree, Array.from({ length: 5 }, () => drawn(policy, draw)));
  });

  it("an unchanged copy passes, in a clone of a single commit as well", patience, async () => {
    using tree = scratch("v0.1.0");
    const { code, out } = await tree.governance("check");
    assert.equal(code, 0, out);
    assert.match(out, /the last release, v0\.1\.0/);
    assert.match(out, /no frozen identifier differs/);
    tree.git("tag", "--delete", "v0.1.0");
    const alone = await tree.governance("check");
    assert.equal(alone.code, 0, alone.out);
    assert.match(
      alone.out,
      /^compared with the committed snapshot only: this clone has a single commit/,
    );
  });

  it("before the first release papers are only told, and what drifts fails", patience, async () => {
    using tree = scratch();
    tree.edit("src/config/keys.ts", (text) => text.replace('default: "60s"', 'default: "90s"'));
    const drifts = await tree.governance("check", "--base", "HEAD");
    assert.equal(drifts.code, 1, drifts.out);
    assert.match(
      drifts.out,
      /^REFUSED src\/config\/keys\.ts: default:idle_timeout: "60s" -> "90s" \(class 1\); the library is not what/m,
    );
    await tree.governance("snapshot", "--write");
    const told = await tree.governance("check", "--base", "HEAD");
    assert.equal(told.code, 0, told.out);
    assert.match(
      told.out,
      /^would be refused src\/config\/keys\.ts: default:idle_timeout: .* missing: a record of class 1/m,
    );
    assert.match(
      told.out,
      /^1 of these are refused from the first release on; until then they are only told$/m,
    );
    assert.match(told.out, /^governance: nothing is refused$/m);
    const { out } = await tree.governance("draft", "--base", "HEAD");
    assert.match(
      out,
      /^## G-\d{4}: WHAT\n\n```json governance\n[^`]*"identifier": "default:idle_timeout",\n\s+"old": "60s",\n\s+"new": "90s"/,
    );
  });
});
