/** What a release is made of: its version, its changelog, its bill of materials. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { next, released, uncovered, unreleased } from "../../scripts/release/changelog.ts";
import { bom, cargoComponents, npmComponents } from "../../scripts/release/sbom.ts";
import { describe, it, ROOT } from "../harness.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

describe("release", () => {
  it("steps the version as the changes ask", () => {
    const steps = (["none", "patch", "minor", "major"] as const).map((step) =>
      next("v1.2.3", step)
    );
    assert.deepEqual(steps, ["1.2.3", "1.2.4", "1.3.0", "2.0.0"]);
  });

  it("turns what is not released into a section of a version", () => {
    const text = "# Changelog\n\n## Unreleased\n\n- A.\n\n## 0.1.0 - 2026-01-01\n\n- B.\n";
    assert.equal(unreleased(text).text, "- A.");
    assert.match(released(text, "0.2.0", "2026-11-29"), /^## 0\.2\.0 - 2026-11-29$/m);
    assert.throws(() => unreleased("# Changelog\n\n## 0.1.0 - 2026-01-01\n"), /no section/);
    assert.throws(() => unreleased("## Unreleased\n\n## 0.1.0\n"), /says nothing/);
    assert.ok(unreleased(read("CHANGELOG.md")).text.length > 0);
  });

  it("finds exports that the changelog does not name", () => {
    const ids = ["export:.#Transport.drain", "export:./oap#inflate"];
    assert.deepEqual(uncovered("- `drain()` waits.", ids), ["export:./oap#inflate"]);
    assert.deepEqual(uncovered("- `drain()` and inflate.", ids), []);
  });

  it("the bill is CycloneDX 1.6, and has each package of the locks once, with its digest", () => {
    const direct = Object.keys(
      (JSON.parse(read("package.json")) as { dependencies: object }).dependencies,
    );
    const npm = npmComponents(read("deno.lock"), direct);
    const crates = cargoComponents(read("wasm/Cargo.lock"), "required");
    const bill = bom("0.1.0", "2026-11-29T00:00:00Z", "00", [...npm, ...crates, ...crates]);
    assert.equal(bill["bomFormat"], "CycloneDX");
    assert.equal(bill["specVersion"], "1.6");
    const listed = bill["components"] as typeof npm;
    const refs = listed.map((one) => one["bom-ref"]);
    assert.equal(new Set(refs).size, refs.length);
    assert.equal(refs.length, new Set([...npm, ...crates].map((one) => one.purl)).size);
    for (const name of direct) {
      assert.equal(npm.find((one) => one.name === name)?.scope, "required", name);
    }
    assert.equal(npm.find(({ name }) => name === "typescript")?.scope, "excluded");
    for (const { name, version, hashes } of listed) {
      assert.match(version, /^\d+\.\d+\.\d+/, name);
      for (const { alg, content } of hashes ?? []) {
        assert.match(content, alg === "SHA-512" ? /^[0-9a-f]{128}$/ : /^[0-9a-f]{64}$/);
      }
    }
    assert.ok(crates.every(({ hashes }) => hashes?.length === 1));
  });
});
