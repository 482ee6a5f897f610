/**
 * Every attack of `deno task attack`, scaled down to a second or so, on the runtime that runs this.
 *
 * Counts, memory and descriptors must hold; times are for the full figures on a quiet machine.
 */
import assert from "node:assert/strict";
import { describe, it, runtimeName } from "../harness.ts";
import { ROWS } from "./rows/mod.ts";

describe("attacks, scaled down", () => {
  for (const { name, about, run } of ROWS) {
    it(`${name}: ${about}`, async () => {
      const { faults } = await run({ runtime: runtimeName(), scale: "small" });
      assert.deepEqual(faults, []);
    });
  }
});
