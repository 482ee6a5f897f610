/** I-G2: what a wide receive may bring does not stand in the way of the frame it brings. */
import assert from "node:assert/strict";
import { CAPS } from "../../../src/caps.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { Counters } from "../../../src/counters.ts";
import { ByteBudget } from "../../../src/limits/byte_budget.ts";
import { Limits } from "../../../src/limits/limits.ts";
import { Reading, type ReadingOwner } from "../../../src/reading.ts";
import { WIDE_BYTES } from "../../../src/receive_window.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

interface Made {
  readonly budget: ByteBudget;
  readonly reading: Reading;
  /** What the sink says is owed, from the next receive on. */
  owe(bytes: number): void;
}

function made(): Made {
  const config = parseConfig({});
  const budget = new ByteBudget();
  const limits = new Limits(() => config, new ManualClock(), budget);
  let owed = 0;
  const owner: ReadingOwner = {
    push: () => ({ retained: 0, owed, completed: 0, pause: false }),
    flow() {},
    onReport() {},
    onPaced() {},
    fail(error) {
      throw error;
    },
  };
  const reading = new Reading(owner, limits, budget.account(), new Counters());
  return { budget, reading, owe: (bytes) => void (owed = bytes) };
}

describe("the read side", () => {
  it("reserves a frame for a peer that holds nothing but its wide receives", () => {
    const { budget, reading } = made();
    for (let i = 0; i < 3; i++) reading.receive(new Uint8Array(CAPS.chunkBytes), false);
    assert.equal(reading.receiveBytes, WIDE_BYTES, "widened, and charged for");
    // Others hold what they may: three quarters of the pool.
    for (let peer = 0; peer < 16; peer++) {
      const share = { held: 0, outgoing: 0, windows: 0, left: 0 };
      for (let i = 0; i < 4; i++) budget.account(share).reserve(CAPS.frameBytes, () => {});
    }
    assert.ok(budget.used > budget.bytes / 2);
    assert.ok(reading.reserve(CAPS.frameBytes, () => assert.fail("not later")));
  });

  it("receives a frame whose memory is reserved 256 KiB at a time, and no more than it is owed", () => {
    const { reading, owe } = made();
    assert.ok(reading.reserve(CAPS.frameBytes, () => assert.fail("not later")));
    assert.equal(reading.receiveBytes < WIDE_BYTES, true);
    owe(CAPS.frameBytes);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes, WIDE_BYTES, "its place is reserved");
    owe(WIDE_BYTES - 1);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes < WIDE_BYTES, true);
  });
});
