/**
 * Reporter for Node's test runner: one JSON line for each leaf test, with its file.
 *
 * Node 20 reports children before their parents, so a result whose nesting is less than that of the
 * result before it, in the same file, is a group. `describe` groups also say so themselves.
 *
 * @module
 */

import { relative } from "node:path";
import process from "node:process";

function outcome(type, data) {
  if (data.skip !== undefined || data.todo !== undefined) return "skipped";
  return type === "test:pass" ? "passed" : "failed";
}

export default async function* leaves(source) {
  const path = [];
  let depth = 0;
  let failures = 0;
  for await (const { type, data } of source) {
    if (type === "test:start") path[data.nesting] = data.name;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const group = data.details?.type === "suite" || data.nesting < depth;
    depth = data.nesting;
    const failed = type === "test:fail";
    // a group that fails with no failed member has a fault of its own
    const counts = !group || (failed && failures === 0);
    if (failed && counts) failures++;
    if (data.nesting === 0) failures = 0;
    if (!counts) continue;
    // Node 20 gives the place of the call to `it`, which is in the harness: the groups tell more
    const place = relative(process.cwd(), data.file ?? "?").replace(/^\.build\//, "");
    const file = place.startsWith("test/harness.") ? "test/…" : place;
    const name = [...path.slice(0, data.nesting), data.name].join(" > ");
    const why = typeof data.skip === "string" && data.skip !== "" ? { why: data.skip } : {};
    yield `${JSON.stringify({ file, name, outcome: outcome(type, data), ...why })}\n`;
  }
}
