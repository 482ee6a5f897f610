import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it, ROOT, runtimeName } from "../harness.ts";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { engines, msrv, newer, read } from "../../scripts/lib/versions.ts";
import process from "node:process";

/** Files that name a Deno version in a command, or a supported version in words. */
const FILES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "package.json",
  ".ci/run",
  ".github/workflows/merge.yml",
];

function present(): string[] {
  return FILES.filter((path) => existsSync(join(ROOT, path)));
}

describe("supported versions", () => {
  const lowest = engines();

  it("compares versions by number", () => {
    assert(newer("1.10.0", "1.9.9"));
    assert(!newer("20.9.0", "20.9"));
    assert(!newer("2.9.5", "2.9.5"));
  });

  it("are the same in CONTRIBUTING as in package.json and the Rust workspace", () => {
    const text = read("CONTRIBUTING.md");
    const row = (name: string): string | undefined =>
      new RegExp(`^\\| ${name} +\\| (\\S+) +\\|`, "m").exec(text)?.[1];
    const { deno, bun, node } = lowest;
    assertEquals(
      { Deno: row("Deno"), Bun: row("Bun"), Node: row("Node"), Rust: row("Rust") },
      { Deno: deno, Bun: bun, Node: node, Rust: msrv() },
    );
  });

  it("names no Deno but the lowest in any command", () => {
    for (const path of present()) {
      for (const [command, version] of read(path).matchAll(/\bdeno@(\d[\w.]*\d)/g)) {
        assertEquals(version, lowest.deno, `${path}: ${command}`);
      }
    }
    assertMatch(
      read(".ci/run"),
      new RegExp(`^deno_version=${lowest.deno.replaceAll(".", "\\.")}$`, "m"),
    );
  });

  it("pins the lowest Bun for the tests", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as {
      devDependencies: Record<string, string>;
    };
    assertEquals(devDependencies["bun"], lowest.bun);
  });

  it("has the lowest Node's major version in the workflow", () => {
    const major = lowest.node.split(".")[0];
    assertMatch(read(".github/workflows/merge.yml"), new RegExp(`node: \\["${major}"`));
  });

  it("include the runtime that runs this", () => {
    const name = runtimeName();
    const version = process.versions[name] ?? "0";
    assert(!newer(lowest[name], version), `${name} ${version} is older than ${lowest[name]}`);
  });
});
