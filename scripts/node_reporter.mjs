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
  let depth = 0;
  let failures = 0;
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const group = data.details?.type === "suite" || data.nesting < depth;
    depth = data.nesting;
    const failed = type === "test:fail";
    // a group that fails with no failed member has a fault of its own
    const counts = !group || (failed && failures === 0);
    if (failed && counts) failures++;
    if (data.nesting === 0) failures = 0;
    if (!counts) continue;
    const file = relative(process.cwd(), data.file ?? "?").replace(/^\.build\//, "");
    yield `${JSON.stringify({ file, name: data.name, outcome: outcome(type, data) })}\n`;
  }
}
