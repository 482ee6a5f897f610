/** How long a client that goes away in order waits for what may still be on its way. */
import { Departures } from "../../src/arti/departures.ts";
import type { AddonStream } from "../../src/arti/addon.ts";
import { ManualClock } from "../../src/testing/mod.ts";
import { assertEquals } from "../_std.ts";
import { describe, it } from "../harness.ts";

/** A stream whose writes take so long each; its peer ends at once, if it ends. */
function slow(clock: ManualClock, ms: number): AddonStream {
  return {
    circuit: 1,
    read: () => Promise.resolve(0),
    write: () => Promise.resolve(clock.advance(ms)),
    end: () => Promise.resolve(),
    close: () => {},
  };
}

/** Milliseconds until all has gone. */
async function wait(departures: Departures, clock: ManualClock, budget = 60_000): Promise<number> {
  const start = clock.now();
  let gone = false;
  void departures.gone(start + budget).then(() => gone = true);
  for (;;) {
    await new Promise((next) => setTimeout(next, 0));
    if (gone) return clock.now() - start;
    clock.advance(clock.next! - clock.now());
  }
}

describe("departures on Tor", () => {
  it("take twice as long as their bytes did, half a second at least, within the budget", async () => {
    const clock = new ManualClock();
    const departures = new Departures(clock);
    assertEquals(await wait(departures, clock), 0);
    const stream = departures.watch(slow(clock, 100));
    await stream.write(new Uint8Array(1_000));
    await stream.end();
    assertEquals(await wait(departures, clock), 700);
    const large = departures.watch(slow(clock, 100));
    for (let i = 0; i < 20; i++) await large.write(new Uint8Array(32_768));
    await large.end();
    assertEquals(await wait(departures, clock), 500 + 2_000, "half of it is not held any more");
    await large.end();
    assertEquals(await wait(departures, clock, 300), 300);
  });

  it("have arrived where the peer has ended, or nothing was written", async () => {
    const clock = new ManualClock();
    const departures = new Departures(clock);
    await departures.watch(slow(clock, 100)).end();
    const stream = departures.watch(slow(clock, 100));
    await stream.write(new Uint8Array(1_000));
    await stream.read(new Uint8Array(1));
    await stream.end();
    assertEquals(await wait(departures, clock), 0);
  });
});
