/** The seeded bugs can still be planted, and the simulation finds them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bugNames, describeBug, plant, seek } from "../../scripts/seeded_bugs.ts";
import { describe, it, runtimeName } from "../harness.ts";

const skip = runtimeName() !== "deno" && "the patches are the same whoever applies them: Deno does";

describe("seeded bugs", () => {
  it("there are at least 20, and each says what it does", () => {
    assert.ok(bugNames().length >= 20, `${bugNames().length}`);
    for (const bug of bugNames()) assert.match(describeBug(bug), /^[A-Z].{20,120}\.$/);
  });

  for (const bug of bugNames()) {
    it(`${bug} can be planted in these sources`, { skip }, async () => {
      const folder = mkdtempSync(join(tmpdir(), "ron-transport-bug-"));
      try {
        assert.equal(await plant(bug, folder), undefined, "make the patch anew: see the README");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it("the simulation finds what a planted bug breaks", { skip, timeout: 120_000 }, async () => {
    const found = await seek("readiness-repeated");
    assert.deepEqual(found, { bug: "readiness-repeated", seed: 1, what: "legal readiness" });
  });
});
