/**
 * `governance`: the rules of who may change what, checked by a program in a checkout.
 *
 * @module
 */

import { usageError } from "./args.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { audit } from "./governance_audit.ts";
import { check } from "./governance_check.ts";
import { draft } from "./governance_draft.ts";
import { drill } from "./governance_drill.ts";
import { emit } from "./governance_emit.ts";
import { snapshot } from "./governance_snapshot.ts";
import { tabletop } from "./governance_tabletop.ts";

type Action = (parsed: Parsed, terminal: Terminal) => Promise<number>;

/** What can be done; each is a file of its own, `governance_NAME.ts`. */
const ACTIONS: Readonly<Record<string, Action>> = Object.freeze({
  audit,
  check,
  draft,
  drill,
  emit,
  snapshot,
  tabletop,
});

/** The command. */
export const governance: Command = {
  spec: {
    name: "governance",
    summary: `In a checkout: ${Object.keys(ACTIONS).join(", ")}; see docs/GOVERNANCE.md`,
    examples: [
      {
        line: "governance check --base main",
        says: "what class the change is, and what it lacks; exit code 1 when it is refused",
      },
      { line: "governance draft >> GOVERNANCE_LOG.md", says: "the entry that the change needs" },
      {
        line: "governance emit --base v1.2.0 --to audit.jsonl",
        says: "the audit events of what was decided since then",
      },
      {
        line: "governance drill --write",
        says: "tries to raise the limits by every way there is; all must be refused",
      },
      {
        line: "governance audit 127.0.0.1:9464 --minutes 10",
        says: "the minutes after a release, on the server of these metrics",
      },
      {
        line: "governance audit --canary old.txt new.txt",
        says: "whether a canary must stop, from the metrics of both",
      },
      { line: "governance tabletop --write", says: "rehearses an appeal" },
      { line: "governance snapshot", says: "whether the library is what its snapshot says" },
      { line: "governance snapshot --write", says: "write the snapshot anew" },
    ],
    arguments: [{ name: "ACTION" }, { name: "SOURCE", optional: true }],
    flags: [
      { name: "root", value: "DIR", help: "the checkout; otherwise the one you are in" },
      {
        name: "base",
        value: "REV",
        help: "compare with it; otherwise the last release, the fork from main, or HEAD~1",
      },
      { name: "minutes", value: "N", help: "audit: how long; otherwise as the policy says" },
      { name: "every", value: "SECONDS", help: "audit: between two readings (1)" },
      {
        name: "baseline",
        value: "SOURCE",
        help: "audit: metrics of before; otherwise its own so far",
      },
      {
        name: "canary",
        value: "OLD",
        help: "audit: compare SOURCE with it, each HOST:PORT or a file",
      },
      { name: "to", value: "FILE", help: "emit: append to it" },
      {
        name: "write",
        help: "snapshot: write it; drill, audit, tabletop: add their record to the log",
      },
    ],
  },
  run: async (parsed, terminal) => {
    const [name = ""] = parsed.positionals;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    const extra = parsed.positionals[1];
    if (extra !== undefined && name !== "audit" && action !== undefined) {
      throw usageError(
        `governance ${name} takes no further argument, got "${extra}"`,
        "governance",
      );
    }
    if (action !== undefined) return await action(parsed, terminal);
    throw usageError(
      `governance can ${Object.keys(ACTIONS).join(", ")}, got "${name}"`,
      "governance",
    );
  },
};
