/** Callers that wait for room: strictly in the order they came, each told what became of it. */
import assert from "node:assert/strict";
import { TransportError } from "../../../src/errors.ts";
import { WriteLine } from "../../../src/write_line.ts";
import { describe, it } from "../../harness.ts";

/** A line for `room` bytes. */
function rig(room: number) {
  const state = { room };
  const order: string[] = [];
  const line = new WriteLine((n) => n <= state.room);
  const join = (name: string, bytes: number, signal?: AbortSignal): Promise<void> =>
    line.join(bytes, () => {
      assert.ok(line.serving);
      state.room -= bytes;
      order.push(name);
      return true;
    }, signal);
  return { state, order, line, join };
}

describe("write line", () => {
  it("serves one after the other, as far as there is room", async () => {
    const { state, order, line, join } = rig(0);
    const all = ["a", "b", "c", "d"].map((name) => join(name, 1));
    assert.deepEqual([line.length, order], [4, []]);
    state.room = 3;
    line.serve();
    assert.deepEqual([order, line.length, line.serving], [["a", "b", "c"], 1, false]);
    await Promise.all(all.slice(0, 3));
    state.room = 1;
    line.serve();
    await all[3];
    assert.deepEqual(order, ["a", "b", "c", "d"]);
  });

  it("goes on with those behind one that is called off", async () => {
    const { order, line, join } = rig(5);
    const controller = new AbortController();
    const large = join("large", 6, controller.signal);
    const small = join("small", 1);
    assert.deepEqual(order, []);
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(large, reason);
    await small;
    assert.deepEqual([order, line.length], [["small"], 0]);
    await assert.rejects(join("late", 1, controller.signal), reason);
    assert.deepEqual(order, ["small"]);
  });

  it("tells a caller what its own put threw, and serves the next", async () => {
    const { order, line, join } = rig(5);
    const fault = new Error("put");
    const throws = line.join(1, () => {
      throw fault;
    }, undefined);
    const next = join("next", 1);
    await assert.rejects(throws, fault);
    await next;
    assert.deepEqual([order, line.length, line.serving], [["next"], 0, false]);
  });

  it("keeps one waiting that could not put yet, and tells all when it ends", async () => {
    const { line, join } = rig(5);
    let tries = 0;
    const first = line.join(1, () => ++tries > 1, undefined);
    assert.deepEqual([tries, line.length], [1, 1]);
    line.serve();
    await first;
    assert.equal(tries, 2);
    const last = [join("a", 6), join("b", 6)];
    const over = new TransportError("misuse", "over", { op: "write" });
    line.reject(over);
    for (const one of last) await assert.rejects(one, over);
    assert.equal(line.length, 0);
  });

  it("is full with 256 callers", async () => {
    const { line, join } = rig(0);
    const all = Array.from({ length: 255 }, () => join("x", 1));
    assert.equal(line.full, false);
    all.push(join("x", 1));
    assert.equal(line.full, true);
    assert.equal(line.refusal().kind, "busy");
    const over = new TransportError("misuse", "over", { op: "write" });
    line.reject(over);
    await Promise.allSettled(all);
  });
});
