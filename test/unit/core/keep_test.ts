/** I-G2: a few bytes of a receive do not keep all of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { keep } from "../../../src/keep.ts";
import { describe, it } from "../../harness.ts";

describe("what is kept of a receive", () => {
  it("is the memory itself where that is ours and at least half of it is wanted", () => {
    const memory = new Uint8Array(1_000);
    assert.equal(keep(memory, true), memory);
    const half = memory.subarray(500);
    assert.equal(keep(half, true), half);
  });

  it("is a copy of less than half, and of memory that is only lent", () => {
    const memory = new Uint8Array(1_000).fill(7);
    for (const [bytes, owned] of [[memory.subarray(501), true], [memory, false]] as const) {
      const kept = keep(bytes, owned);
      assert.notEqual(kept.buffer, memory.buffer);
      assert.equal(kept.buffer.byteLength, bytes.length);
      assert.deepEqual(kept, bytes);
    }
  });

  it("is a copy of a runtime's Buffer too, whose own slice would be none", () => {
    const memory = Buffer.alloc(1_000, 7);
    for (const bytes of [memory.subarray(0, 10), memory]) {
      const kept = keep(bytes, false);
      memory.fill(8);
      assert.deepEqual([...new Set(kept)], [7]);
      assert.equal(kept.buffer.byteLength, bytes.length);
      memory.fill(7);
    }
  });
});
