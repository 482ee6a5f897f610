/** Memory of frames that do not come in one piece: how much, how often it is copied, and whose it is. */
import assert from "node:assert/strict";
import { CAPS } from "../../../src/caps.ts";
import { Assembly, FramePool } from "../../../src/oap/assembly.ts";
import { describe, it } from "../../harness.ts";
import { xorshift } from "../../vectors.ts";

const CHUNK = CAPS.chunkBytes;
const frees = "transfer" in ArrayBuffer.prototype;
const freed = (bytes: Uint8Array): boolean => bytes.buffer.byteLength === 0;

/** A frame of `need` bytes of which `came` are there, in receives of `part`. */
function begun(need: number, came: number, part = came, granted = true): Assembly {
  const assembly = new Assembly();
  assembly.begin(need, granted);
  for (let at = 0; at < came; at += part) assembly.fill(new Uint8Array(part), 0);
  return assembly;
}

describe("a frame that is put together", () => {
  it("takes from a receive what belongs to it, wherever that begins", () => {
    const wire = xorshift(1, 1_000);
    const assembly = new Assembly();
    assembly.begin(300);
    assert.equal(assembly.fill(wire.subarray(0, 100), 0), 100);
    assert.equal(assembly.fill(wire.subarray(90), 10), 200);
    assert.deepEqual(assembly.take(), wire.subarray(0, 300));
    assembly.begin(50);
    assert.equal(assembly.fill(wire.subarray(300, 400), 1), 50);
    assert.deepEqual(assembly.take(), wire.subarray(301, 351));
  });

  it("holds at most twice what came, and its whole size from a chunk on", () => {
    assert.equal(begun(1_000_000, 1).bytes, 256);
    assert.equal(begun(1_000_000, 300).bytes, 300);
    assert.equal(begun(1_000_000, 1_000, 500).bytes, 1_000);
    assert.equal(begun(1_000_000, CHUNK - 1).bytes, CHUNK - 1);
    assert.equal(begun(1_000_000, CHUNK).bytes, 1_000_000);
    assert.equal(begun(200, 1).bytes, 200);
  });

  it("holds no more than twice what came until its memory is granted", () => {
    const assembly = begun(1_000_000, 2 * CHUNK, CHUNK, false);
    assert.equal(assembly.bytes, 2 * CHUNK);
    assembly.granted = true;
    assembly.fill(new Uint8Array(1), 0);
    assert.equal(assembly.bytes, 1_000_000);
    assert.equal(assembly.have, 2 * CHUNK + 1);
  });

  it("is of the frame's size when it is whole, whether granted or not", () => {
    assert.equal(begun(3 * CHUNK, 3 * CHUNK, CHUNK, false).take().length, 3 * CHUNK);
  });

  it("is granted unless said otherwise", () => {
    assert.ok(new Assembly().granted);
    const assembly = begun(10, 0, 1, false);
    assembly.begin(10);
    assert.ok(assembly.granted);
  });

  it("frees what it outgrew", () => {
    const assembly = new Assembly();
    assembly.begin(1_000_000);
    const set = Uint8Array.prototype.set;
    const old: Uint8Array[] = [];
    Uint8Array.prototype.set = function (this: Uint8Array, ...args) {
      old.push(this);
      set.apply(this, args);
    };
    try {
      assembly.fill(new Uint8Array(20_000), 0);
    } finally {
      Uint8Array.prototype.set = set;
    }
    assembly.fill(new Uint8Array(CHUNK), 0);
    assert.equal(freed(old[0]!), frees);
  });

  it("gives its memory to the pool once, however often it is dropped", () => {
    const pool = new FramePool();
    const assembly = begun(100_000, CHUNK);
    assembly.pool = pool;
    assembly.drop();
    assert.deepEqual([assembly.bytes, assembly.have, assembly.need], [0, 0, 0]);
    assembly.drop();
    assert.ok(pool.takeSpare(100_000));
    assert.equal(pool.takeSpare(100_000), undefined);
  });
});

/** Buffers of these sizes, given one after the other. */
function given(...sizes: number[]): { pool: FramePool; all: Uint8Array[] } {
  const pool = new FramePool();
  const all = sizes.map((n) => new Uint8Array(n));
  for (const bytes of all) pool.give(bytes);
  return { pool, all };
}

/** Asserts which are freed, where the runtime can: of the others the pool gives no more. */
function assertFreed(all: readonly Uint8Array[], gone: readonly boolean[]): void {
  assert.deepEqual(all.map(freed), gone.map((one) => one && frees));
}

describe("spare frame memory", () => {
  it("keeps eight, and of more the largest", () => {
    const sizes = [5, 2, 9, 4, 8, 3, 7, 6].map((n) => n * 20_000);
    const { pool, all } = given(...sizes, 40_000, 100_000);
    assertFreed(all, [false, true, ...Array(6).fill(false), true, false]);
    // The largest first, so that none is lent for a smaller one.
    for (const n of [9, 8, 7, 6, 5, 5, 4, 3]) assert.ok(pool.takeSpare(n * 20_000), `${n}`);
    assert.equal(pool.takeSpare(1), undefined);
  });

  it("keeps 2 MiB, whatever their number", () => {
    const MIB = 1_048_576;
    const { pool, all } = given(MIB, MIB, 20_000);
    assertFreed(all, [false, false, true]);
    const larger = new Uint8Array(MIB + 1);
    pool.give(larger);
    assertFreed([...all, larger], [true, true, true, false]);
    assert.ok(pool.takeSpare(MIB + 1));
    assert.equal(pool.takeSpare(MIB), undefined);
  });

  it("keeps one that alone is more", () => {
    const { pool } = given(3_000_000);
    assert.ok(pool.takeSpare(3_000_000));
  });

  it("lends one that is at most a chunk and a header larger, cut to the size asked for", () => {
    const slack = CHUNK + CAPS.headerBytes;
    const { pool, all: [bytes] } = given(300_000);
    assert.equal(pool.takeSpare(300_001), undefined);
    assert.equal(pool.takeSpare(300_000 - slack - 1), undefined);
    const lent = pool.takeSpare(300_000 - slack)!;
    assert.equal(lent.length, 300_000 - slack);
    assert.equal(lent.buffer, bytes!.buffer);
    pool.give(lent);
    assert.equal(pool.takeSpare(300_000)!.length, 300_000, "it is whole again");
  });
});
