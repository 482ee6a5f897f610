/**
 * The npm package, as a user gets it: packed, installed in an empty project, run under Bun and Node.
 *
 * Slow, and the same whichever runtime drives npm: `deno task test` runs this folder under Deno only.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { markForBun } from "../../scripts/lib/bun_pragma.ts";
import { engines } from "../../scripts/lib/versions.ts";
import { after, before, describe, findRuntime, it, ROOT } from "../harness.ts";
import { copyOfTree, emptyFolder, type Folder, mustRun, readmeExample } from "./copy.ts";

const SOURCES: readonly string[] = [
  "mod.ts",
  "src",
  "package.json",
  "tsconfig.json",
  "tsconfig.dist.json",
  "README.md",
  "CHANGELOG.md",
  "LICENSE-MIT",
  "LICENSE-APACHE",
];

const EXAMPLE_CONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    module: "NodeNext",
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    strict: true,
    exactOptionalPropertyTypes: true,
  },
  files: ["example.mts"],
};

function runtime(name: "bun" | "node"): string {
  const path = findRuntime(name);
  if (path === undefined) throw new Error(`${name} was not found`);
  return path;
}

describe("npm package", () => {
  let project: Folder | undefined;
  let listing = "";

  const folder = (): string => {
    if (project === undefined) throw new Error("the package was not installed");
    return project.path;
  };

  before(() => {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    using tree = copyOfTree(SOURCES);
    mustRun(tree.path, runtime("node"), tsc, "--project", "tsconfig.dist.json");
    markForBun(join(tree.path, "dist"));
    project = emptyFolder();
    const packed = mustRun(tree.path, "npm", "pack", "--ignore-scripts", "--json");
    const [pack] = JSON.parse(packed.slice(packed.indexOf("["))) as [
      { filename: string; files: { path: string }[] },
    ];
    listing = pack.files.map(({ path }) => path).join("\n");
    writeFileSync(join(project.path, "package.json"), '{"private":true,"type":"module"}\n');
    const tarball = join(tree.path, pack.filename);
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
    mustRun(project.path, "npm", "install", ...quiet, tarball);
    const example = readmeExample().replaceAll('"@ron/transport', '"ron-transport');
    writeFileSync(join(project.path, "example.mts"), example);
    writeFileSync(join(project.path, "tsconfig.json"), JSON.stringify(EXAMPLE_CONFIG));
    // checks the example against the packed declarations, and makes JavaScript that Node 20 takes
    mustRun(project.path, runtime("node"), tsc, "--project", "tsconfig.json");
  });

  after(() => project?.[Symbol.dispose]());

  it("holds compiled code, declarations, licences, and no tests or sources", () => {
    assertMatch(listing, /^dist\/mod\.js$/m);
    assertMatch(listing, /^dist\/mod\.d\.ts$/m);
    assertMatch(listing, /^LICENSE-MIT$/m);
    const stray = listing.split("\n").filter((path) =>
      path.includes("test/") || (path.endsWith(".ts") && !path.endsWith(".d.ts"))
    );
    assertEquals(stray, []);
  });

  for (const name of ["node", "bun"] as const) {
    it(`runs the README's example under ${name}`, () => {
      mustRun(folder(), runtime(name), "example.mjs");
    });

    it(`loads every entry under ${name}`, () => {
      const entries = ["", "/oap", "/compress", "/testing"].map((path) => `ron-transport${path}`);
      const code = `for (const e of ${JSON.stringify(entries)}) await import(e);`;
      writeFileSync(join(folder(), "entries.mjs"), code);
      mustRun(folder(), runtime(name), "entries.mjs");
    });
  }

  const lowest = engines().node;
  const skip = process.platform === "linux" ? false : "npm has Node binaries for Linux only";
  it(`runs the README's example under the lowest Node, ${lowest}`, { skip }, () => {
    const name = `node-linux-${process.arch}`;
    using tools = emptyFolder();
    writeFileSync(join(tools.path, "package.json"), "{}");
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
    mustRun(tools.path, "npm", "install", ...quiet, `${name}@${lowest}`);
    const node = join(tools.path, "node_modules", name, "bin/node");
    assertEquals(mustRun(folder(), node, "--version").trim(), `v${lowest}`);
    mustRun(folder(), node, "example.mjs");
    mustRun(folder(), node, "entries.mjs");
  });

  it("has a command that npx and bunx start", () => {
    assertMatch(
      mustRun(folder(), "npx", "--no-install", "ron-transport", "version"),
      /^ron-transport \d/,
    );
    const bunx = mustRun(folder(), runtime("bun"), "x", "--no-install", "ron-transport", "version");
    assertMatch(bunx, /^ron-transport \d/m);
    assert(!bunx.includes("error"));
  });
});
