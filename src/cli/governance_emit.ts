/**
 * `governance emit`: audit events of what was decided since a revision, as lines of JSON.
 *
 * @module
 */

import { auditFile, jsonLines } from "../audit/json_lines.ts";
import { TransportError } from "../errors.ts";
import { policyEvents } from "../governance/events.ts";
import { LOG_FILE, parseLog } from "../governance/log.ts";
import { join, readText } from "../runtime/host_files.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot, chooseBase, git } from "./governance_checkout.ts";

/**
 * Emits to standard output, or appends to the file of `--to`.
 *
 * @returns 0, also when there is nothing to tell.
 */
export async function emit(parsed: Parsed, { out, err }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const base = await chooseBase(root, parsed.value("base"));
  const { entries, faults } = parseLog(await readText(join(root, LOG_FILE)));
  if (faults.length > 0) {
    throw new TransportError("config_invalid", faults.join("; "), { op: "governance" });
  }
  const before = typeof base === "string"
    ? ""
    : (await git(root, "show", `${base.commit}:${LOG_FILE}`)).stdout;
  const known = new Set(parseLog(before).entries.map(({ id, merged }) => `${id} ${merged}`));
  const fresh = entries.filter(({ id, merged }) => !known.has(`${id} ${merged}`));
  const head = (await git(root, "rev-parse", "HEAD")).stdout.trim();
  const events = policyEvents(fresh, head === "" ? "unknown" : head);
  const path = parsed.value("to");
  if (path === undefined) {
    const hook = jsonLines((line) => out.write(line));
    for (const event of events) await hook(event);
  } else {
    await using file = await auditFile(path);
    for (const event of events) await file.hook(event);
  }
  const since = typeof base === "string" ? "the log began" : base.why;
  await err.write(`governance: ${events.length} events of decisions since ${since}\n`);
  return EXIT.ok;
}
