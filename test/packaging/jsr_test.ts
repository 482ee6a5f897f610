/**
 * The JSR package: exactly the files that the dry run names, used from another project.
 *
 * `deno task test` runs this folder under Deno only: it is Deno that publishes and consumes it.
 *
 * @module
 */

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { assert, assertEquals } from "../_std.ts";
import { before, describe, it, ROOT } from "../harness.ts";
import { emptyFolder, mustRun, readmeExample, readmeFlags } from "./copy.ts";

/** Paths in the package, from the dry run's list of `file:///… (size)`. */
function publishedFiles(): string[] {
  const output = mustRun(ROOT, process.execPath, "publish", "--dry-run", "--allow-dirty");
  const urls = [...output.matchAll(/^\s*(file:\/\/\S+) \([\d.]+\s?\w+\)$/gm)];
  return urls.map(([, url = ""]) => fileURLToPath(url).slice(ROOT.length + 1));
}

describe("JSR package", () => {
  let files: string[] = [];
  before(() => {
    files = publishedFiles();
  });

  it("holds sources, manifest and licences, and nothing else", () => {
    assert(files.includes("mod.ts"), "mod.ts is missing");
    assert(files.includes("deno.json"), "deno.json is missing");
    const allowed = /^(?:mod\.ts|src\/.*\.ts|deno\.json|README\.md|CHANGELOG\.md|LICENSE-\w+)$/;
    assertEquals(files.filter((path) => !allowed.test(path)), []);
  });

  it("runs the README's example from those files alone, with the README's permissions", () => {
    using folder = emptyFolder();
    const at = join(folder.path, "package");
    for (const path of files) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      cpSync(join(ROOT, path), join(at, path));
    }
    // `links` makes the copy stand in for the published package, whose name resolves to it
    const consumer = {
      links: ["./package"],
      imports: {
        "@ron/transport": "jsr:@ron/transport@^0.1.0",
        "@ron/transport/": "jsr:/@ron/transport@^0.1.0/",
      },
    };
    writeFileSync(join(folder.path, "deno.json"), JSON.stringify(consumer));
    writeFileSync(join(folder.path, "example.ts"), readmeExample());
    const check = ["run", "--check", "--no-lock", "--no-prompt"];
    mustRun(folder.path, process.execPath, ...check, ...readmeFlags(), "example.ts");
  });
});
