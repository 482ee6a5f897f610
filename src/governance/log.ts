/**
 * The governance log: `GOVERNANCE_LOG.md`, a document for people whose entries are blocks of JSON.
 *
 * An entry is a heading `## ID: what`, any text, and one fenced block ` ```json governance `. Entries are
 * only added: a decision is amended by a later entry that supersedes it.
 *
 * @module
 */

import { z } from "zod";
import { readJson } from "./faults.ts";
import { type Level, type Role, ROLE_NAMES, type Step, STEPS } from "./policy.ts";

/** Where the log is, from the root of a checkout. */
export const LOG_FILE = "GOVERNANCE_LOG.md" as const;

/** A value as JSON has it. */
export type Json = z.core.util.JSONType;

/** One identifier that an entry changed; `null` for what is not there. */
export interface Touched {
  readonly identifier: string;
  readonly old: Json;
  readonly new: Json;
}

/** One vote. */
export interface Vote {
  /** A name of `MAINTAINERS`. */
  readonly by: string;
  readonly vote: "approve" | "reject" | "abstain";
}

/** One entry. Times are ISO 8601 with their zone. */
export interface LogEntry {
  /** `G-` and four digits, one more than the entry before. */
  readonly id: string;
  /** When the entry was written. */
  readonly date: string;
  readonly kind: "change" | "revert" | "emergency" | "drill" | "audit" | "appeal";
  /** The class that its author declares; the check derives its own. */
  readonly class: Level;
  readonly decision: "proposed" | "approved" | "rejected" | "withdrawn" | "passed" | "failed";
  readonly author: string;
  readonly votes: Readonly<Partial<Record<Role, readonly Vote[]>>>;
  readonly rationale: string;
  /** Where it was discussed; the first is the `pr` of the audit event. */
  readonly links: readonly string[];
  readonly evidence: readonly string[];
  /** The entry that this one amends. */
  readonly supersedes: string | null;
  /** The entry whose change this one takes back. */
  readonly reverts: string | null;
  readonly touched: readonly Touched[];
  readonly opened: string;
  readonly merged: string | null;
  readonly commit: string | null;
  /** When the regular proposal to an emergency was made. */
  readonly proposal: string | null;
  readonly version_step: Step;
}

/** A log as it was read. */
export interface GovernanceLog {
  /** The entries that are well formed, in the order of the document. */
  readonly entries: readonly LogEntry[];
  /** What is wrong, each in a line that begins with file and line. */
  readonly faults: readonly string[];
}

const TIME = z.string().regex(
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/,
  "must be a time with its zone, such as 2026-01-05T10:00:00Z",
).refine((text) => !Number.isNaN(Date.parse(text)), "must be a time that exists");
const ID = z.string().regex(/^G-\d{4}$/, "must be an id such as G-0007");
const TEXT = z.string().min(1);
const VOTES = z.array(z.strictObject({ by: TEXT, vote: z.enum(["approve", "reject", "abstain"]) }));
const ENTRY: z.ZodType<LogEntry> = z.strictObject({
  id: ID,
  date: TIME,
  kind: z.enum(["change", "revert", "emergency", "drill", "audit", "appeal"]),
  class: z.literal([0, 1, 2, 3]),
  decision: z.enum(["proposed", "approved", "rejected", "withdrawn", "passed", "failed"]),
  author: TEXT,
  votes: z.partialRecord(z.enum(ROLE_NAMES), VOTES),
  rationale: TEXT,
  links: z.array(TEXT),
  evidence: z.array(TEXT),
  supersedes: ID.nullable(),
  reverts: ID.nullable().default(null),
  touched: z.array(z.strictObject({ identifier: TEXT, old: z.json(), new: z.json() })),
  opened: TIME,
  merged: TIME.nullable(),
  commit: TEXT.nullable().default(null),
  proposal: TIME.nullable().default(null),
  version_step: z.enum(STEPS),
});

const BLOCK = /^```json governance\n([\s\S]*?)^```$/gm;

/**
 * Reads a log.
 *
 * @param text The document.
 */
export function parseLog(text: string): GovernanceLog {
  const entries: LogEntry[] = [];
  const faults: string[] = [];
  for (const { 1: json = "", index } of text.matchAll(BLOCK)) {
    const where = `${LOG_FILE}:${text.slice(0, index).split("\n").length + 1}`;
    const read = readJson(json, ENTRY);
    if (!read.ok) faults.push(...read.faults.map((fault) => `${where}: ${fault}`));
    else {
      const { id, supersedes, reverts } = read.value;
      const ids = new Set(entries.map((entry) => entry.id));
      const next = `G-${String(entries.length + 1).padStart(4, "0")}`;
      if (id !== next && faults.length === 0) {
        faults.push(`${where}: id must be ${next}, got ${id}`);
      }
      for (const other of [supersedes, reverts]) {
        if (other !== null && !ids.has(other)) {
          faults.push(`${where}: ${id} names ${other}, and no entry before it has that id`);
        }
      }
      entries.push(read.value);
    }
  }
  return { entries, faults };
}

/**
 * An entry as the document has it.
 *
 * @param entry The entry.
 * @param title What it is about, for the heading.
 */
export function entryText(entry: LogEntry, title: string): string {
  const json = JSON.stringify(entry, null, 2);
  return `## ${entry.id}: ${title}\n\n\`\`\`json governance\n${json}\n\`\`\`\n`;
}

/** The id that the next entry takes. */
export function nextId({ entries }: GovernanceLog): string {
  return `G-${String(entries.length + 1).padStart(4, "0")}`;
}
