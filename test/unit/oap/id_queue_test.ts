/** The queue of ids against an array. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { IdQueue, IdQueueMemory } from "../../../src/oap/id_queue.ts";
import { describe, it } from "../../harness.ts";
import { header, type Id, name } from "./ids.ts";

/** Few values, so that ids meet again, and some that differ in one word only. */
const ID: fc.Arbitrary<Id> = fc.record({
  tenantId: fc.constantFrom(0n, 1n, 1n << 32n, 1n << 64n, 1n << 96n),
  appProtoId: fc.constantFrom(0, 1, 65_535),
  corrId: fc.constantFrom(0n, 1n, 2n, 3n, 1n << 32n, 1n << 63n),
});

describe("queue of ids", () => {
  it("holds what an array holds, whatever is added and removed", () => {
    const memory = new IdQueueMemory();
    fc.assert(fc.property(fc.array(fc.tuple(ID, fc.boolean()), { maxLength: 600 }), (steps) => {
      const queue = new IdQueue(memory);
      const held: string[] = [];
      for (const [id, add] of steps) {
        if (add && held.length < 64) {
          queue.add(header(id), 0);
          held.push(name(id));
        } else {
          const at = held.indexOf(name(id));
          assert.equal(queue.remove(header(id), 0), at >= 0);
          if (at >= 0) held.splice(at, 1);
        }
        assert.equal(queue.size, held.length);
      }
    }));
  });

  it("takes 64 again and again, answered in order, backwards, and all but the first", () => {
    const queue = new IdQueue(new IdQueueMemory());
    const id = (corrId: number): DataView =>
      header({ tenantId: 5n, appProtoId: 7, corrId: BigInt(corrId) });
    let next = 0;
    for (let i = 0; i < 64; i++) queue.add(id(next++), 0);
    for (let i = 0; i < 300; i++) { // the first stays
      assert.ok(queue.remove(id(next - 63), 0));
      queue.add(id(next++), 0);
    }
    assert.equal(queue.size, 64);
    for (let i = next - 1; i > next - 64; i--) assert.ok(queue.remove(id(i), 0));
    assert.equal(queue.remove(id(next), 0), false);
    assert.ok(queue.remove(id(0), 0));
    assert.equal(queue.size, 0);
  });

  it("holds no memory while it is empty", () => {
    const memory = new IdQueueMemory();
    const [one, two] = [new IdQueue(memory), new IdQueue(memory)];
    const id = header({ tenantId: 1n, appProtoId: 7, corrId: 9n });
    one.add(id, 0);
    assert.ok(one.remove(id, 0));
    assert.equal(two.remove(id, 0), false);
    two.add(header({ tenantId: 1n, appProtoId: 8, corrId: 9n }), 0);
    assert.equal(one.remove(id, 0), false);
    assert.equal(two.remove(id, 0), false);
    assert.equal(two.size, 1);
  });
});
