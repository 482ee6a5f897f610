import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CAPS } from "../../../src/caps.ts";
import { TransportError } from "../../../src/errors.ts";
import { sha256 } from "../../../src/oap/sha256.ts";
import { hasNativeSha256, nativeSha256 } from "../../../src/runtime/host_sha256.ts";
import { Artefact, CAP_NAMES, checkCaps } from "../../../src/oap/artefact.ts";
import { CAP_REFUSED, type HotExports, NO_IDS } from "../../../src/oap/abi.ts";
import { Hot } from "../../../src/oap/hot.ts";
import { hot } from "../../../src/oap/instance.ts";
import { wasmInfo } from "../../../src/oap/mod.ts";

function internal(text: RegExp): (error: unknown) => boolean {
  return (error) =>
    TransportError.is(error) && error.kind === "internal" && error.origin === "library" &&
    text.test(error.message);
}

const table = Uint32Array.from(CAP_NAMES, (name) => CAPS[name]);

/** SHA-256 of one byte, 0. */
const nullByte = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";

describe("the WebAssembly module", () => {
  it("I-G1: agrees with the library on every ceiling", () => {
    assert.equal(CAP_NAMES.length, Object.keys(CAPS).length);
    checkCaps(table);
    wasmInfo();
  });

  it("I-G1: is refused over any ceiling, with both figures", () => {
    CAP_NAMES.forEach((name, i) => {
      const other = table.slice();
      other[i]!++;
      assert.throws(
        () => checkCaps(other),
        internal(new RegExp(`${name} is ${CAPS[name]} .* ${CAPS[name] + 1} `)),
      );
    });
  });

  it("has the digest it was released with, and is refused with another", async () => {
    wasmInfo();
    const refused = internal(/SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/);
    const wrong = new Artefact("AA==", wasmInfo().sha256);
    assert.throws(() => wrong.prove(), refused, "at once");
    assert.throws(() => wrong.prove(), refused, "and again");
    const ahead = new Artefact("AA==", wasmInfo().sha256);
    const right = new Artefact("AA==", nullByte);
    // What was begun ahead takes some turns; whether it is there yet must not matter.
    for (let turn = 0; turn < 20; turn++) await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    assert.throws(() => ahead.prove(), refused, "later");
    assert.deepEqual(right.prove(), new Uint8Array(1));
    assert.deepEqual(right.prove(), new Uint8Array(1));
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1_000, 70_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const wanted = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      assert.equal(sha256(bytes), wanted);
      assert.equal(nativeSha256(bytes), hasNativeSha256() ? wanted : undefined);
    }
  });

  it("I-G1: refuses a frame limit above its own constant", () => {
    assert.equal(hot().index(38, CAPS.frameBytes + 1, 1), CAP_REFUSED);
    assert.equal(hot().checkRows(1, CAPS.frameBytes + 1), CAP_REFUSED);
  });

  it("loses one call to a trap, and is replaced", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    new Uint32Array(memory.buffer, 1024, table.length).set(table);
    const trap = (): number => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    const zero = (): number => 0;
    const fake: HotExports = {
      memory,
      hot_new: zero,
      hot_win_ptr: zero,
      hot_rows_ptr: () => 32_768,
      hot_ctl_ptr: () => 49_152,
      hot_hdr_ptr: () => 65_536,
      hot_caps_ptr: () => 1024,
      hot_index: trap,
      hot_rows: trap,
      hot_chunk: trap,
      hot_guard_in: trap,
      hot_guard: trap,
      hot_guard_out_ptr: zero,
      hot_guard_wipe: zero,
    };
    let trapped = 0;
    const broken = new Hot(fake, () => trapped++);
    assert.throws(() => broken.index(38, 100, 1), internal(/trapped \(unreachable\)/));
    assert.throws(() => broken.checkRows(1, 100), internal(/trapped/));
    assert.throws(() => broken.inflate(0, new Uint8Array(1), 1, 0), internal(/trapped/));
    assert.throws(() => broken.chunk(1, 0, 1, 1, 0, NO_IDS), internal(/trapped/));
    assert.equal(trapped, 4);
  });
});
