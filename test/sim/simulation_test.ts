/** The simulation holds over many seeds, and each does the same every time. */
import assert from "node:assert/strict";
import process from "node:process";
import { simulate, SimulationFailure } from "../../src/testing/mod.ts";
import { World } from "../../src/testing/sim/world.ts";
import { describe, it, runtimeName } from "../harness.ts";

/** How many seeds run by default; `RON_SIM_SEEDS` sets another number, `deno task sim` runs them all. */
const SEEDS: Readonly<Record<string, number>> = { deno: 500, bun: 200, node: 100 };
const seeds = Number(process.env["RON_SIM_SEEDS"] ?? SEEDS[runtimeName()]);

describe("simulation", () => {
  it(`${seeds} seeds keep every invariant`, { timeout: 600_000 }, async () => {
    let done = 0;
    let refused = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const report = await simulate(seed);
      done += report.done;
      refused += report.refused;
    }
    assert.ok(done > seeds, `${done} pieces of honest work`); // it does not excuse everything
    assert.ok(refused > 0);
  });

  it("a seed repeats every event", async () => {
    for (const seed of [3, 14, 159]) {
      const events: string[] = [];
      const first = await simulate(seed, { onEvent: (line) => void events.push(line) });
      const again: string[] = [];
      const second = await simulate(seed, { onEvent: (line) => void again.push(line) });
      assert.deepEqual(again, events);
      assert.deepEqual(second, first);
    }
    assert.notEqual((await simulate(4)).digest, (await simulate(5)).digest);
  });

  it("a broken invariant is told with its seed, the command and the last 50 events", async () => {
    const world = new World(77);
    for (let i = 0; i < 120; i++) world.trace.add("somebody", `event ${i}`);
    world.fail("one writer", "made up");
    world.fail("another", "later: the first counts");
    const failure = await Promise.resolve().then(() => world.judge()).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failure instanceof SimulationFailure);
    assert.equal(failure.seed, 77);
    assert.equal(failure.invariant, "one writer");
    assert.match(failure.message, /deno task sim --seed 77/);
    assert.equal(failure.trace.length, 50);
    assert.match(failure.trace[49]!, /event 119$/);
    assert.match(failure.trace[0]!, /event 70$/);
  });

  it("honest work that waits for ever is found", async () => {
    const world = new World(1);
    void world.work("waiting", () => new Promise(() => {}), () => false);
    assert.throws(() => world.rest(), /no deadlock/);
    world.clock.after(500_000, () => {});
    const other = new World(2);
    void other.work("waiting", () => new Promise(() => {}), () => false);
    other.clock.after(500_000, () => {});
    await assert.rejects(other.step(), /waits for 500000 ms/);
  });
});
