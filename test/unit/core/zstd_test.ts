/** The runtime's encoder gives one frame, whatever it is fed. */
import assert from "node:assert/strict";
import { inflate } from "../../../src/oap/mod.ts";
import { nativeZstd, oneFrame } from "../../../src/runtime/zstd.ts";
import { random } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

describe("native zstd", () => {
  it("makes exactly one frame, which the guard takes", async () => {
    const compress = await nativeZstd();
    if (compress === undefined) return; // Node 20 has no encoder: senders send plain
    const draw = random(3);
    for (const length of [0, 1, 100, 16_384, 17_000, 65_536, 100_000]) {
      for (const values of [1, 4, 256]) {
        const bytes = Uint8Array.from({ length }, () => Math.floor(draw() * values));
        const packed = compress(bytes);
        if (packed.length * 8 < length) continue; // past the guard's ratio: sent plain
        assert.deepEqual(inflate(packed, { codec: "zstd" }), bytes);
      }
    }
  });

  it("keeps a frame whose stored bytes look like an empty frame", async () => {
    const tail = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 20, (20 << 3 | 1) & 255, 0, 0];
    const stored = Uint8Array.from([...header, ...Array(11).fill(7), ...tail]);
    assert.deepEqual(oneFrame(stored), stored);
    assert.deepEqual(oneFrame(Uint8Array.from([...stored, ...tail])), stored);
    const compress = await nativeZstd();
    if (compress !== undefined) {
      const bytes = Uint8Array.from([...Array(40)].map((_, i) => i * 77 & 255).concat(tail));
      assert.deepEqual(inflate(compress(bytes), { codec: "zstd" }), bytes);
    }
  });
});
