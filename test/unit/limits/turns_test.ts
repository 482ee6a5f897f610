/** Whoever waits for bytes of the budget: by turns between shares, in order within one, and overtaken by nobody. */
import assert from "node:assert/strict";
import { type Room, Turns, type Waiter } from "../../../src/limits/turns.ts";
import { describe, it } from "../../harness.ts";

const MIB = 1_048_576;

/** Turns over a pool of `free` bytes; `closed` are shares that are full. */
function rig(free: number) {
  const pool = { free };
  const full = new Set<string>();
  const granted: string[] = [];
  const turns = new Turns<string>((share, bytes): Room => {
    if (full.has(share)) return "share";
    return bytes <= pool.free ? "there" : "pool";
  });
  /** Waits under `share`; what it takes is gone from the pool. */
  const wait = (share: string, name: string, bytes: number): Waiter => {
    const waiter: Waiter = {
      needs: () => bytes,
      grant: () => {
        pool.free -= bytes;
        granted.push(name);
      },
    };
    turns.join(share, waiter);
    return waiter;
  };
  return { turns, pool, full, granted, wait };
}

describe("turns", () => {
  it("serve what fits in the order of its coming, also several of one share at once", () => {
    const { turns, granted, wait } = rig(10);
    for (const name of ["a1", "a2", "a3", "a4"]) wait("a", name, 2);
    assert.equal(turns.waiting, 4);
    turns.serve();
    assert.deepEqual(granted, ["a1", "a2", "a3", "a4"]);
    assert.equal(turns.waiting, 0);
    assert.equal(turns.has("a"), false);
  });

  it("go round the shares, a mebibyte each", () => {
    const { turns, granted, wait } = rig(10 * MIB);
    for (const name of ["a1", "a2", "a3", "a4"]) wait("a", name, MIB / 2);
    wait("b", "b1", MIB);
    wait("b", "b2", 1);
    wait("c", "c1", MIB / 2 + 1);
    wait("c", "c2", MIB / 2);
    turns.serve();
    assert.deepEqual(granted, ["a1", "a2", "b1", "c1", "a3", "a4", "b2", "c2"]);
  });

  it("pass over a share that is full, and come back to it", () => {
    const { turns, granted, full, wait } = rig(10);
    full.add("a");
    wait("a", "a1", 1);
    wait("b", "b1", 1);
    turns.serve();
    assert.deepEqual([granted, turns.waiting], [["b1"], 1]);
    assert.deepEqual([turns.has("a"), turns.has("b")], [true, false]);
    full.clear();
    turns.serve();
    assert.deepEqual(granted, ["b1", "a1"]);
  });

  it("let nobody overtake one that only the pool keeps waiting", () => {
    const { turns, pool, granted, wait } = rig(5);
    wait("a", "large", 6);
    turns.serve();
    assert.equal(turns.has("b"), true, "others are to wait behind it");
    wait("b", "small", 1);
    turns.serve();
    assert.deepEqual(granted, []);
    pool.free = 7;
    turns.serve();
    assert.deepEqual(granted, ["large", "small"]);
    assert.equal(turns.has("b"), false);
  });

  it("are free for others once the one that kept its turn has left, and not before", () => {
    const { turns, wait } = rig(5);
    const first = wait("a", "first", 6);
    const second = wait("a", "second", 6);
    const third = wait("a", "third", 6);
    turns.serve();
    assert.equal(turns.has("b"), true);
    turns.leave("a", second);
    turns.leave("a", third);
    assert.equal(turns.has("b"), true);
    const late = wait("a", "late", 6);
    turns.leave("a", first);
    assert.equal(turns.has("b"), false);
    assert.deepEqual([turns.has("a"), turns.waiting], [true, 1]);
    turns.leave("a", late);
    assert.deepEqual([turns.has("a"), turns.waiting], [false, 0]);
  });

  it("lose nobody when one leaves who does not wait", () => {
    const { turns, granted, wait } = rig(0);
    wait("a", "a1", 1);
    const stranger = { needs: () => 1, grant: () => assert.fail("it does not wait") };
    turns.leave("a", stranger);
    turns.leave("b", stranger);
    assert.deepEqual([turns.waiting, granted], [1, []]);
  });

  it("grant what needs nothing any more, however full the pool is", () => {
    const { turns, granted, wait } = rig(0);
    wait("a", "a1", 0);
    wait("b", "b1", -5); // it has given back more than it wants
    turns.serve();
    assert.deepEqual(granted, ["a1", "b1"]);
  });

  it("save nothing up for a share that was passed over", () => {
    const { turns, granted, full, wait } = rig(10 * MIB);
    full.add("a");
    wait("a", "a1", MIB);
    wait("a", "a2", MIB);
    for (let i = 0; i < 5; i++) turns.serve();
    full.clear();
    wait("b", "b1", MIB);
    turns.serve();
    assert.deepEqual(granted, ["a1", "b1", "a2"]);
  });
});
