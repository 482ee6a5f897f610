/**
 * One edit on a copy of the tree, in one place only, must turn `deno task ok` red and say which.
 *
 * `deno task test` runs this folder under Deno only, as `ok` itself does.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { describe, it } from "../harness.ts";
import { copyOfTree, type Ended, runIn } from "./copy.ts";

const PARTS: readonly string[] = [
  "deno.json",
  "deno.lock",
  "package.json",
  "mod.ts",
  "src",
  "scripts",
  "wasm",
  "test/runtimes.ts",
];

/** Runs `ok`'s artefact check on a copy in which one file was edited. */
function okAfter(path: string, edit: (text: string) => string): Ended {
  using tree = copyOfTree(PARTS);
  const file = join(tree.path, path);
  const text = readFileSync(file, "utf8");
  const edited = edit(text);
  assert(path === "deno.json" || edited !== text, `${path}: the edit changed nothing`);
  writeFileSync(file, edited);
  return runIn(tree.path, process.execPath, "run", "-A", "scripts/ok.ts", "wasm");
}

describe("artefact check of `deno task ok`", () => {
  it("holds on an unchanged copy", () => {
    const { code, output } = okAfter("deno.json", (text) => text);
    assertEquals(code, 0, output);
    assertMatch(output, /^ok {4}wasm/m);
  });

  it("I-G1: names the ceiling that was raised in TypeScript only", () => {
    const { code, output } = okAfter(
      "src/caps.ts",
      (text) => text.replace("frameBytes: 1_048_576", "frameBytes: 1_048_577"),
    );
    assertEquals(code, 1, output);
    assertMatch(output, /^FAIL {2}wasm .*caps\.ts/m);
    assertMatch(output, /frame.*1048577/i);
  });

  it("I-G1: names the ceiling that was raised in Rust only", () => {
    const { code, output } = okAfter(
      "wasm/core/src/caps.rs",
      (text) => text.replace(/(FRAME\w*: \w+ = )[^;]+;/, "$12_097_152;"),
    );
    assertEquals(code, 1, output);
    assertMatch(output, /^FAIL {2}wasm .*caps\.rs/m);
    assertMatch(output, /frame/i);
  });

  it("names the digest when one byte of the artefact differs", () => {
    const { code, output } = okAfter("src/oap/hot_wasm.ts", (text) => {
      const at = text.indexOf("AGFzbQ") + 5_000;
      return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    });
    assertEquals(code, 1, output);
    assertMatch(output, /^FAIL {2}wasm .*(?:inlined|artefact) .*SHA-256/m);
  });
});
