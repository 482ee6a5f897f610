/**
 * Every attack of `deno task attack`, scaled down to a second or so, on the runtime that runs this.
 *
 * Counts, memory and descriptors must hold; times are for the full figures on a quiet machine. Most of
 * an attack is waiting for a deadline, so a few of them run at a time, each with processes of its own.
 */
import assert from "node:assert/strict";
import { describe, it, runtimeName } from "../harness.ts";
import type { Row } from "./rig/waves_row.ts";
import { ROWS } from "./rows/mod.ts";

const AT_ONCE = 4;

function groups(rows: readonly Row[]): Row[][] {
  const all: Row[][] = [];
  for (let i = 0; i < rows.length; i += AT_ONCE) all.push(rows.slice(i, i + AT_ONCE));
  return all;
}

describe("I-16: attacks, scaled down", () => {
  for (const group of groups(ROWS)) {
    it(group.map(({ name }) => name).join(", "), { timeout: 180_000 }, async () => {
      const reports = await Promise.all(
        group.map((row) => row.run({ runtime: runtimeName(), scale: "small" })),
      );
      const faults = reports.flatMap(({ name, faults }) =>
        faults.map((text) => `${name}: ${text}`)
      );
      assert.deepEqual(faults, []);
    });
  }
});
