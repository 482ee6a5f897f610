import { describe, it } from "../harness.ts";
import { assertEquals } from "../_std.ts";
import { readBun, readCargo, readDeno, tally } from "../../scripts/lib/report.ts";

const DENO = `running 2 tests from ./test/a_test.ts
outer ...
  first ... ok (0ms)
  loud ...
------- output -------
fake ... ok (1ms)
----- output end -----
  loud ... ok (0ms)
  inner ...
    breaks ... FAILED (1ms)
    later ... ignored (0ms)
  inner ... FAILED (due to 1 failed step) (2ms)
outer ... FAILED (due to 1 failed step) (7ms)
alone ... ok (363µs)
running 1 test from ./test/b_test.ts
outer ...
  first ... ok (686µs)
outer ... ok (686µs)

 ERRORS 

outer ... inner ... breaks => ext:deno_node/testing.ts:1:21231

FAILED | 2 passed (3 steps) | 1 failed (2 steps) | 0 ignored (1 step) (15ms)
`;

describe("test reports", () => {
  it("reads leaf tests by file out of Deno's listing, and nothing that a test printed", () => {
    const { leaves, complete } = readDeno(DENO);
    assertEquals(complete, true);
    assertEquals(leaves.map(({ file, name, outcome }) => `${file}|${name}|${outcome}`), [
      "test/a_test.ts|outer > first|passed",
      "test/a_test.ts|outer > loud|passed",
      "test/a_test.ts|outer > inner > breaks|failed",
      "test/a_test.ts|outer > inner > later|skipped",
      "test/a_test.ts|alone|passed",
      "test/b_test.ts|outer > first|passed",
    ]);
  });

  it("calls a Deno listing without its closing line incomplete", () => {
    assertEquals(readDeno(DENO.slice(0, DENO.indexOf("FAILED |"))).complete, false);
    assertEquals(readDeno(DENO.replace("2 passed", "3 passed")).complete, false);
  });

  it("reads past what Deno says of tests that take minutes", () => {
    const slow = DENO.replace(
      "  first ... ok (0ms)",
      "  first ...'outer' has been running for over (1m0s)\n'outer' has been running for over (2m0s)\n ok (2m10s)",
    );
    assertEquals(readDeno(slow), readDeno(DENO));
  });

  it("reads Bun's nested suites", () => {
    const xml = `<testsuites><testsuite name="a" file="a_test.ts"><testsuite name="x &gt; y">
      <testcase name="one" file="a_test.ts" /><testcase name="two" file="a_test.ts">
      <failure message="1 &lt; 2"/></testcase></testsuite>
      <testcase name="three" file="a_test.ts"><skipped /></testcase></testsuite></testsuites>`;
    const leaves = readBun(xml);
    assertEquals(leaves[0], { file: "a_test.ts", name: "x > y > one", outcome: "passed" });
    assertEquals(tally(leaves), { passed: 1, failed: 1, skipped: 1 });
  });

  it("adds up cargo's binaries", () => {
    const one = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
    const two = "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assertEquals(readCargo(one + two), { passed: 5, failed: 1, skipped: 1 });
  });
});
