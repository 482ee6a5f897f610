import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "../harness.ts";
import { assertEquals, assertMatch } from "../_std.ts";
import { checkSeam } from "../../scripts/check_seam.ts";
import { codeOnly, importsOf } from "../../scripts/lib/source.ts";

/** Checks a tree made of these files only. */
function seam(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), "seam-"));
  try {
    mkdirSync(join(root, "src"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkSeam(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe("seam check", () => {
  it("reads imports of every form, and none out of comments or strings", () => {
    const text = [
      'import a, { type B } from "./a.ts";',
      'import type { C } from "./c.ts";',
      'export {\n  d,\n} from "./d.ts";',
      'export * from "./e.ts";',
      'import "./f.ts";',
      'const g = await import("./g.ts");',
      '// import h from "./h.ts";',
      '/* import i from "./i.ts"; */',
      "const j = `import k from \"./k.ts\" ${'}'} `;",
    ].join("\n");
    assertEquals(importsOf(text).map(({ specifier, typeOnly }) => `${specifier} ${typeOnly}`), [
      "./a.ts false",
      "./c.ts true",
      "./d.ts false",
      "./e.ts false",
      "./f.ts false",
      "./g.ts false",
    ]);
  });

  it("blanks comments, strings, templates and patterns, and keeps code inside templates", () => {
    const text =
      "a('Deno.x') /* Deno.y */ + `Deno.z ${Deno.real({})} Deno.w` + /[\"'/]Deno/.test(b);";
    const code = codeOnly(text);
    assertEquals(code.length, text.length);
    assertEquals(code.match(/Deno\.\w+/g), ["Deno.real"]);
  });

  it("I-3: finds a runtime named outside src/runtime, types included", () => {
    const problems = seam({
      "src/a.ts": 'import type { Socket } from "node:net";\nDeno.exit();\nlet s: Socket;',
      "src/runtime/b.ts": 'import "node:net";\nBun.gc();',
      "src/cli/c.ts": "process.exit(1);\n(x as { process: 1 }).process;",
    });
    assertEquals(problems, [
      "src/a.ts:1: imports node:net; go through src/runtime/host.ts",
      "src/a.ts:2: names Deno; go through src/runtime/host.ts",
      "src/cli/c.ts:1: names process; go through src/runtime/host.ts",
    ]);
  });

  it("finds an adapter imported past its interface", () => {
    const files = { "src/a.ts": 'import "./runtime/bun.ts";', "src/runtime/bun.ts": "" };
    assertMatch(seam(files).join(), /src\/a.ts:1: imports src\/runtime\/bun.ts; only/);
  });

  it("I-8: finds a core that knows the protocol, and a protocol that knows the transport", () => {
    const problems = seam({
      "mod.ts": 'export * from "./src/transport.ts";',
      "src/transport.ts": 'import type { X } from "./oap/frame.ts";',
      "src/oap/mod.ts": 'export * from "./frame.ts";\nimport "../errors.ts";',
      "src/oap/frame.ts": 'import "../transport.ts";',
      "src/errors.ts": "",
    });
    assertMatch(problems.join("\n"), /src\/transport.ts:1: the core imports src\/oap\/frame.ts/);
    assertMatch(problems.join("\n"), /src\/oap\/mod.ts: reaches src\/transport.ts \(imported by/);
    assertMatch(problems.join("\n"), /mod.ts: reaches src\/oap\/frame.ts/);
  });

  it("I-2: finds a package that an entry must not pull in, however far away", () => {
    const problems = seam({
      "src/oap/mod.ts": 'import "../a.ts";',
      "src/a.ts": 'import { z } from "zod";',
    });
    assertEquals(problems, [
      "src/oap/mod.ts: reaches package zod (imported by src/a.ts); allowed: none",
    ]);
  });

  it("finds import cycles of values, and lets types be", () => {
    const value = { "src/a.ts": 'import "./b.ts";', "src/b.ts": 'import "./a.ts";' };
    assertEquals(seam(value), ["import cycle: src/a.ts -> src/b.ts -> src/a.ts"]);
    const types = {
      "src/a.ts": 'import "./b.ts";',
      "src/b.ts": 'import type { A } from "./a.ts";',
    };
    assertEquals(seam(types), []);
  });

  it("finds imports of files that are not there", () => {
    assertEquals(seam({ "src/a.ts": 'import "./gone.ts";' }), [
      "src/a.ts:1: imports src/gone.ts: no such file",
    ]);
  });
});
