/** Many timers on one: the same order, the same times, and nothing left. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../src/testing/mod.ts";
import { TimerHeap } from "../../../src/timer_heap.ts";
import { describe, it } from "../../harness.ts";

describe("timer heap", () => {
  it("fires what a clock would fire, in its order, whatever is cancelled", () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("after" as const), ms: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(99) }),
      fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const plain = new ManualClock();
        const under = new ManualClock();
        const heap = new TimerHeap(under);
        const fired: [string[], string[]] = [[], []];
        const timers: { cancel(): void }[][] = [];
        for (const step of actions) {
          if (step.kind === "after") {
            const name = `${timers.length}`;
            timers.push(
              [plain, heap].map((clock, i) =>
                clock.after(step.ms, () => fired[i as 0 | 1].push(`${name} at ${clock.now()}`))
              ),
            );
          } else if (step.kind === "cancel") {
            for (const timer of timers[step.which % Math.max(1, timers.length)] ?? []) {
              timer.cancel();
              timer.cancel();
            }
          } else {
            plain.advance(step.ms);
            under.advance(step.ms);
          }
          assert.ok(under.pending <= 1, "one timer of the runtime");
          assert.equal(under.pending > 0, plain.pending > 0);
        }
        plain.advance(1_000);
        under.advance(1_000);
        assert.deepEqual(fired[1], fired[0]);
        assert.equal(under.pending, 0);
      }),
      { numRuns: 500 },
    );
  });

  it("lets a timer that sets another for now come back later", () => {
    const under = new ManualClock();
    const heap = new TimerHeap(under);
    let n = 0;
    const again = (): void => {
      if (++n < 5) heap.after(0, again);
    };
    heap.after(1, again);
    under.advance(1);
    assert.equal(n, 5);
    assert.equal(under.pending, 0);
  });

  it("goes on after a callback that throws", () => {
    const under = new ManualClock();
    const heap = new TimerHeap(under);
    const fired: number[] = [];
    heap.after(1, () => {
      throw new Error("first");
    });
    heap.after(1, () => fired.push(2));
    assert.throws(() => under.advance(1), /first/);
    under.advance(1);
    assert.deepEqual(fired, [2]);
  });
});
