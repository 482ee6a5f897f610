/** Many timers on one: the same order, the same times, and nothing left. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Clock, Timer } from "../../../src/clock.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { TimerHeap } from "../../../src/timer_heap.ts";
import { describe, it } from "../../harness.ts";

/** A clock on which work takes time, and whose timer fires as late as it is told to. */
class BusyClock implements Clock {
  at = 0;
  /** Delays that were asked for. */
  readonly asked: number[] = [];
  #next: { readonly due: number; readonly callback: () => void } | undefined;

  now(): number {
    return this.at;
  }

  after(ms: number, callback: () => void): Timer {
    assert.equal(this.#next, undefined, "two timers of the runtime at a time");
    this.asked.push(ms);
    this.#next = { due: this.at + ms, callback };
    return { cancel: () => void (this.#next = undefined) };
  }

  get pending(): boolean {
    return this.#next !== undefined;
  }

  /** Fires the timer, `late` milliseconds after it was due. */
  fire(late = 0): void {
    const { due, callback } = this.#next!;
    this.#next = undefined;
    this.at = Math.max(this.at, due + late);
    callback();
  }
}

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

  it("fires what is due together in slices of 64, or of 4 ms, and rests a millisecond in between", () => {
    for (const [cost, slices] of [[0.01, [64, 64, 22]], [1, [4, 4, 4]], [10, [1, 1, 1]]] as const) {
      const clock = new BusyClock();
      const heap = new TimerHeap(clock);
      let fired = 0;
      for (let i = 0; i < 150; i++) {
        heap.after(5, () => {
          fired++;
          clock.at += cost;
        });
      }
      for (const size of slices) {
        fired = 0;
        clock.fire();
        assert.equal(fired, size, `${cost} ms each`);
      }
      assert.deepEqual(clock.asked.slice(0, 3), [5, 1, 1]);
    }
  });

  it("that finds its timer late lets the event loop rest first, three times at most", () => {
    const clock = new BusyClock();
    const heap = new TimerHeap(clock);
    const fired: number[] = [];
    heap.after(10, () => fired.push(clock.at));
    clock.fire(3); // as late as a timer may be
    assert.deepEqual(fired, [13]);
    heap.after(10, () => fired.push(clock.at));
    clock.fire(3.5);
    assert.deepEqual([fired.length, clock.asked.at(-1)], [1, 1]);
    heap.after(0, () => fired.push(-1)); // sets none for earlier
    clock.fire(3.5);
    assert.deepEqual([fired.length, clock.asked.at(-1)], [1, 1]);
    clock.fire(0); // it has rested
    assert.deepEqual(fired, [13, 32, -1]);
    heap.after(10, () => fired.push(clock.at));
    for (let i = 0; i < 3; i++) {
      clock.fire(100);
      assert.equal(fired.length, 3);
    }
    clock.fire(100); // the machine is busy: enough
    assert.equal(fired.length, 4);
    assert.equal(clock.pending, false);
    heap.after(10, () => fired.push(clock.at));
    clock.fire(100);
    assert.equal(fired.length, 4, "it rests anew for the next");
    clock.fire(0);
    assert.equal(fired.length, 5);
  });

  it("waits for nothing once all is cancelled while it rests", () => {
    const clock = new BusyClock();
    const heap = new TimerHeap(clock);
    const timer = heap.after(10, () => assert.fail("cancelled"));
    clock.fire(50);
    assert.ok(clock.pending);
    timer.cancel();
    assert.equal(clock.pending, false);
    let fired = 0;
    heap.after(5, () => fired++);
    clock.fire(0);
    assert.equal(fired, 1);
  });
});
