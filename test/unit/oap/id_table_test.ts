/** The table of ids against a `Map`. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { IdMemory, IdTable } from "../../../src/oap/id_table.ts";
import { describe, it } from "../../harness.ts";
import { header, type Id, name } from "./ids.ts";

/** Few values, so that ids meet again, and some that differ in one word only. */
const ID: fc.Arbitrary<Id> = fc.record({
  tenantId: fc.constantFrom(0n, 1n, 1n << 32n, 1n << 64n, 1n << 96n),
  appProtoId: fc.constantFrom(0, 1, 65_535),
  corrId: fc.oneof(fc.bigInt(0n, 400n), fc.constantFrom(1n << 32n, 1n << 63n)),
});

describe("table of ids", () => {
  const memory = new IdMemory();

  it("holds what a map holds, whatever is added and removed", () => {
    fc.assert(fc.property(fc.array(fc.tuple(ID, fc.boolean()), { maxLength: 600 }), (steps) => {
      const table = new IdTable<string>(memory);
      const map = new Map<string, Id>();
      for (const [id, add] of steps) {
        const place = table.find(header(id), 0);
        assert.equal(place >= 0, map.has(name(id)));
        if (add && place < 0) {
          table.add(header(id), 0, name(id));
          map.set(name(id), id);
        } else if (!add && place >= 0) {
          assert.equal(table.removeAt(place), name(id));
          map.delete(name(id));
        }
        assert.equal(table.size, map.size);
      }
      for (const [key, id] of map) assert.equal(table.get(table.find(header(id), 0)), key);
      assert.deepEqual(table.clear().sort(), [...map.keys()].sort());
      for (const id of map.values()) assert.equal(table.find(header(id), 0), -1);
    }));
  });

  it("grows to hundreds of entries and empties in any order", () => {
    const table = new IdTable<bigint>(memory);
    const ids = Array.from({ length: 320 }, (_, i) => ({
      tenantId: 5n,
      appProtoId: 7,
      corrId: BigInt(i) << 20n,
    }));
    for (const id of ids) table.add(header(id), 0, id.corrId);
    for (const id of ids.toReversed()) {
      assert.equal(table.removeAt(table.find(header(id), 0)), id.corrId);
    }
    assert.equal(table.size, 0);
  });

  it("holds no memory while it is empty, and gives clean memory on", () => {
    const own = new IdMemory();
    const one = new IdTable<string>(own);
    const two = new IdTable<string>(own);
    const id = (corrId: bigint): Id => ({ tenantId: 1n, appProtoId: 7, corrId });
    for (let i = 0n; i < 64n; i++) one.add(header(id(i)), 0, `${i}`);
    while (one.size > 0) one.removeAt(0);
    two.add(header(id(1_000n)), 0, "two");
    for (let i = 0n; i < 64n; i++) assert.equal(two.find(header(id(i)), 0), -1);
    one.add(header(id(1n)), 0, "one");
    assert.equal(two.find(header(id(1n)), 0), -1);
    assert.equal(one.find(header(id(1_000n)), 0), -1);
    assert.equal(two.get(two.find(header(id(1_000n)), 0)), "two");
  });
});
