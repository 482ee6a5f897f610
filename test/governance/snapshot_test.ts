/** The frozen identifiers: the library that runs here is what the committed snapshot says. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  differences,
  type Identifiers,
  parseSnapshot,
  SNAPSHOT_FILE,
} from "../../src/governance/identifiers.ts";
import { parsePolicy, POLICY_FILE } from "../../src/governance/policy.ts";
import { probe } from "../../src/governance/probe.ts";
import { run } from "../cli/terminal.ts";
import { describe, it, ROOT, runtimeName } from "../harness.ts";

const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");
const snapshot: Identifiers = parseSnapshot(await read(SNAPSHOT_FILE));
const { frozen } = parsePolicy(await read(POLICY_FILE));

/** Families that only `deno doc` or the file of the policy can tell. */
const STATIC = /^(?:export|readiness|readiness_reason|policy):/;

const of = (family: string): string[] =>
  Object.keys(snapshot).filter((name) => name.startsWith(`${family}:`))
    .map((name) => name.slice(family.length + 1));

describe("frozen identifiers", () => {
  it("I-G1, I-G5, I-G7: ceilings, edges, kinds, reasons and the rest are the snapshot's", async () => {
    const { identifiers, ceilings, expectedSha256 } = await probe(frozen.caps as never);
    const wanted = Object.fromEntries(
      Object.entries(snapshot).filter(([name]) => !STATIC.test(name)),
    );
    assert.deepEqual(differences(wanted, identifiers as Identifiers), []);
    assert.ok(Object.keys(wanted).length > 250);
    assert.deepEqual(ceilings.library, ceilings.module);
    assert.equal(identifiers["artefact:sha256"], expectedSha256);
  });

  it("I-G4: they are what the policy fixes", () => {
    for (const [name, value] of Object.entries(frozen.caps)) {
      assert.equal(snapshot[`cap:${name}`], value);
    }
    assert.equal(of("cap").length, Object.keys(frozen.caps).length);
    assert.deepEqual(of("reason").sort(), [...frozen.reasons].sort());
    assert.deepEqual(of("kind").sort(), [...frozen.kinds].sort());
    assert.deepEqual(of("readiness").sort(), [...frozen.readiness].sort());
    assert.deepEqual(of("readiness_reason").sort(), [...frozen.readiness_reasons].sort());
    for (const [metric, edges] of Object.entries(frozen.edges)) {
      assert.deepEqual(snapshot[`edges:${metric}`], edges);
    }
    for (const [event, fields] of Object.entries(frozen.audit)) {
      for (const field of fields) assert.equal(snapshot[`audit:${event}.${field}`], true);
    }
    for (const [metric, labels] of Object.entries(frozen.metrics)) {
      assert.ok(snapshot[`metric:${metric}`] !== undefined);
      for (const label of labels) assert.ok(snapshot[`label:${metric}.${label}`] !== undefined);
    }
  });

  it("I-G1: nothing gets round the guard: each attempt is refused", () => {
    const passed = of("guard").filter((name) =>
      /came out|allowed|answered/.test(String(snapshot[`guard:${name}`]))
    );
    assert.deepEqual(passed, ["inflate: as much as the ratio allows"]);
    assert.ok(of("guard").length >= 40);
  });

  it("the values that an entry exports are those of the snapshot", async () => {
    const manifest = JSON.parse(await read("deno.json")) as { exports: Record<string, string> };
    const compiled = runtimeName() === "node";
    for (const [entry, path] of Object.entries(manifest.exports)) {
      if (entry === "./cli" || entry === "./arti") continue; // one runs, one wants its addon
      const file = compiled ? path.replace(/\.ts$/, ".js") : path;
      const module = await import(new URL(`../../${file}`, import.meta.url).href) as object;
      const names = of("export").filter((name) => {
        const value = snapshot[`export:${name}`];
        const kind = typeof value === "string" ? value : JSON.stringify(value);
        return name.startsWith(`${entry}#`) && !name.slice(entry.length + 1).includes(".") &&
          (/^(?:abstract )?class|^const: /.test(kind) || kind.includes('"takes":'));
      });
      const found = Object.keys(module).map((name) => `${entry}#${name}`);
      // A class may be exported as a type alone.
      const values = names.filter((name) =>
        found.includes(name) || !/^(?:abstract )?class/.test(String(snapshot[`export:${name}`]))
      );
      assert.deepEqual(found.sort(), values.sort());
    }
  });

  const elsewhere = runtimeName() === "deno" ? undefined : "the API is read by Deno, once";
  it(
    "the whole of it, types included, by the command",
    { ...(elsewhere && { skip: elsewhere }) },
    async () => {
      const { code, out } = await run("governance", "snapshot", "--root", ROOT);
      assert.match(out, /^snapshot: \d+ identifiers are what governance\/snapshot\.json says$/m);
      assert.equal(code, 0);
    },
  );
});
