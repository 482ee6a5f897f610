/** Which tests prove which invariant, and what happens when one has none. */
import assert from "node:assert/strict";
import { titlesOf } from "../../scripts/lib/test_titles.ts";
import { invariantsOf, trace, traceTree } from "../../scripts/traceability.ts";
import { describe, it, ROOT } from "../harness.ts";

const ONE = [{ id: "I-1", holds: "it holds" }, { id: "I-8b", holds: "so does this" }];

function problems(text: string): readonly string[] {
  return trace(ONE, [{ file: "test/a_test.ts", text }]).problems;
}

describe("traceability", () => {
  it("every invariant of the list is named by tests of this tree", () => {
    const { rows, problems } = traceTree(ROOT);
    assert.deepEqual(problems, []);
    for (const { proofs } of rows) assert.ok(proofs.length > 0);
  });

  it("the list has the ten of the mission and the nineteen of the design, each once", () => {
    const ids = invariantsOf(ROOT).map(({ id }) => id);
    const wanted = [
      ...Array.from({ length: 10 }, (_, i) => `I-G${i + 1}`),
      ...Array.from({ length: 8 }, (_, i) => `I-${i + 1}`),
      "I-8b",
      ...Array.from({ length: 10 }, (_, i) => `I-${i + 9}`),
    ];
    assert.deepEqual(ids, wanted);
  });

  it("a gap, an unknown id and a test that never runs are told", () => {
    const both = 'describe("I-1: a", () => {\n  it("I-8b: b", () => {});\n});';
    assert.deepEqual(problems(both), []);
    assert.deepEqual(problems(both.replace("I-8b", "I-8c")), [
      "test/a_test.ts:2: names I-8c, which is not in governance/invariants.json",
      "I-8b has no test: so does this",
    ]);
    for (const never of ['it("I-8b: b", { skip: "why" }, () => {});', 'it.skip("I-8b: b");']) {
      assert.deepEqual(problems(`it("I-1", () => {});\n${never}`), [
        "I-8b has no test: so does this",
      ]);
    }
    assert.deepEqual(
      problems('it("I-1", () => {});\nit("I-8b", { skip: missing }, () => {});'),
      [],
    );
  });

  it("titles are read with their groups, and out of no comment, string or other call", () => {
    const text = [
      '// it("no", () => {})',
      "const s = 'it(\"no\", f)';",
      'describe("a", () => {',
      '  it("b (c", () => { f("x)"); });',
      "  it(",
      "    `d ${e}`, () => {});",
      "});",
      'unit("no", () => {}); x.it("no", () => {});',
      'it("f", () => {});',
    ].join("\n");
    assert.deepEqual(titlesOf(text).map(({ path, line }) => `${line} ${path.join(" > ")}`), [
      "4 a > b (c",
      "5 a > d ${e}",
      "9 f",
    ]);
  });
});
