/**
 * `governance draft`: the entry that a change needs, to be filled in.
 *
 * @module
 */

import { gravest, greatestStep } from "../governance/classify.ts";
import { entryText, type LogEntry, nextId } from "../governance/log.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot, git } from "./governance_checkout.ts";
import { compare } from "./governance_compare.ts";

/**
 * Prints the entry, with all that the build tells: class, step and values.
 *
 * @returns 0; 1 when the change can have no entry, as no approval makes it legal.
 */
export async function draft(parsed: Parsed, { out, err }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const { changes, documents } = await compare(root, parsed.value("base"));
  const asked = changes.filter(({ level, area }) => level !== 2 || area !== undefined);
  if (asked.length === 0) {
    await err.write("governance: this change needs no entry\n");
    return EXIT.ok;
  }
  const level = gravest(asked);
  if (level === "never" || level === undefined) {
    await err.write("governance: no approval makes this change legal; see `governance check`\n");
    return EXIT.failure;
  }
  const now = new Date().toISOString();
  const entry: LogEntry = {
    id: nextId(documents.log),
    date: now,
    kind: "change",
    class: level,
    decision: "proposed",
    author: (await git(root, "config", "user.name")).stdout.trim() || "NAME",
    votes: { maintainers: [], ...(level === 2 ? {} : { security: [] }) },
    rationale: "WHY",
    links: ["WHERE IT IS DISCUSSED"],
    evidence: ["TESTS AND FIGURES"],
    supersedes: null,
    reverts: null,
    touched: asked.map(({ identifier, old = null, new: now = null }) => ({
      identifier,
      old,
      new: now,
    })),
    opened: now,
    merged: null,
    commit: null,
    proposal: null,
    version_step: greatestStep(asked.map(({ step }) => step)),
  };
  await out.write(entryText(entry, "WHAT"));
  return EXIT.ok;
}
