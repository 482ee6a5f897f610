/**
 * Entries that tools write into the governance log: drills, audits, rehearsals.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { entryText, LOG_FILE, type LogEntry, nextId, parseLog } from "../governance/log.ts";
import { join, readText, writeText } from "../runtime/host_files.ts";
import { git } from "./governance_checkout.ts";

/** What such an entry says; the rest follows. */
export interface ToolRecord {
  readonly title: string;
  readonly kind: "drill" | "audit" | "appeal";
  readonly decision: "passed" | "failed" | "approved" | "rejected";
  readonly rationale: string;
  readonly evidence: readonly string[];
  readonly links?: readonly string[];
  readonly votes?: LogEntry["votes"];
  /** @default 2 */
  readonly class?: LogEntry["class"];
  /** ISO 8601. @default Now. */
  readonly opened?: string;
  /** @default Now. */
  readonly date?: string;
}

/**
 * The entry as text, for a log.
 *
 * @param log The log so far.
 * @param author Whose tool it was.
 * @param commit What was drilled or audited.
 * @param record What it says.
 */
export function recordText(
  log: string,
  author: string,
  commit: string,
  record: ToolRecord,
): string {
  const parsed = parseLog(log);
  if (parsed.faults.length > 0) {
    throw new TransportError("config_invalid", parsed.faults.join("; "), { op: "governance" });
  }
  const now = record.date ?? new Date().toISOString();
  const { title, kind, decision, rationale, evidence } = record;
  return entryText({
    id: nextId(parsed),
    date: now,
    kind,
    class: record.class ?? 2,
    decision,
    author,
    votes: record.votes ?? {},
    rationale,
    links: record.links ?? ["docs/GOVERNANCE.md"],
    evidence,
    supersedes: null,
    reverts: null,
    touched: [],
    opened: record.opened ?? now,
    merged: null,
    commit,
    proposal: null,
    version_step: "none",
  }, title);
}

/** Appends an entry to the log of a checkout, and gives its id. */
export async function writeRecord(root: string, record: ToolRecord): Promise<string> {
  const path = join(root, LOG_FILE);
  const log = await readText(path);
  const author = (await git(root, "config", "user.name")).stdout.trim() || "unknown";
  const commit = (await git(root, "rev-parse", "HEAD")).stdout.trim() || "unknown";
  const text = recordText(log, author, commit, record);
  await writeText(path, `${log.trimEnd()}\n\n${text}`);
  return /^## (G-\d{4})/.exec(text)?.[1] ?? "";
}
