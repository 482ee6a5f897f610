/**
 * Memory of the hot module, on its raw exports: what it takes is fixed by its code, not by any input, and the engine
 * enforces a ceiling above that.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WASM_BASE64 } from "../../src/oap/hot_wasm.ts";
import { bytes, type Gen, vectors } from "../vectors.ts";

const PAGE = 65_536;
const AT_REST = 4 * PAGE;
const WITH_GUARD = 40 * PAGE;
const CEILING = 3 << 20;
const FRAME_BYTES = 1_048_576;
const CODECS = ["zstd", "gzip", "zlib", "deflate"];

interface HotExports {
  readonly memory: WebAssembly.Memory;
  hot_new(): number;
  hot_guard_in(hot: number, n: number): number;
  hot_guard(hot: number, codec: number, n: number, maxOut: number): number;
  hot_guard_wipe(hot: number): void;
  hot_guard_out_ptr(hot: number): number;
}

function instantiate(): HotExports {
  const module = new WebAssembly.Module(
    Uint8Array.from(atob(WASM_BASE64), (char) => char.charCodeAt(0)),
  );
  const imports: Record<string, Record<string, () => void>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => assert.fail(`the module called ${name}`);
  }
  return new WebAssembly.Instance(module, imports).exports as unknown as HotExports;
}

describe("memory of the hot module", () => {
  it("does not depend on the input", () => {
    const hot = instantiate();
    const self = hot.hot_new();
    assert.ok(hot.memory.buffer.byteLength <= AT_REST, "at rest");
    assert.equal(hot.hot_guard_out_ptr(self), 0, "guard buffers before their first use");
    hot.hot_guard_in(self, 1);
    for (const codec of CODECS.keys()) hot.hot_guard(self, codec, 1, 1);
    const used = hot.memory.buffer.byteLength;
    assert.ok(used <= WITH_GUARD, `${used} bytes with the guard`);

    const cases = vectors<{ codec: string; hex?: string; gen?: Gen }>("guard").map((test) => ({
      codec: CODECS.indexOf(test.codec),
      input: bytes(test),
    }));
    for (let round = 0; round < 3; round++) {
      for (const { codec, input } of cases) {
        const at = hot.hot_guard_in(self, input.length);
        new Uint8Array(hot.memory.buffer, at, input.length).set(input);
        // as every codec: what is sound to one is noise to the others
        hot.hot_guard(self, (codec + round) % CODECS.length, input.length, FRAME_BYTES);
      }
      hot.hot_guard_wipe(self);
    }
    // a wipe drops an inflater and the next input makes it again, at the same cost
    assert.equal(hot.memory.buffer.byteLength, used);
  });

  it("has a ceiling", () => {
    const { memory } = instantiate();
    const pages = (CEILING - memory.buffer.byteLength) / PAGE;
    assert.throws(() => memory.grow(pages + 1), RangeError);
    memory.grow(pages);
  });

  it("zeroes what the guard was given", () => {
    const hot = instantiate();
    const self = hot.hot_new();
    const input = Uint8Array.from([
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0x20,
      6,
      0x31,
      0,
      0,
      83,
      69,
      67,
      82,
      69,
      84,
    ]);
    const at = hot.hot_guard_in(self, input.length);
    new Uint8Array(hot.memory.buffer, at, input.length).set(input);
    assert.equal(hot.hot_guard(self, 0, input.length, FRAME_BYTES), 6);
    const secret = () =>
      new TextDecoder("latin1").decode(hot.memory.buffer).split("SECRET").length - 1;
    assert.equal(secret(), 2, "input and output");
    hot.hot_guard_wipe(self);
    assert.equal(secret(), 0);
  });
});
