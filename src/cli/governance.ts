/**
 * `governance`: the rules of who may change what, checked by a program in a checkout.
 *
 * @module
 */

import { usageError } from "./args.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { check } from "./governance_check.ts";
import { draft } from "./governance_draft.ts";
import { emit } from "./governance_emit.ts";
import { snapshot } from "./governance_snapshot.ts";

type Action = (parsed: Parsed, terminal: Terminal) => Promise<number>;

/** What can be done; each is a file of its own, `governance_NAME.ts`. */
const ACTIONS: Readonly<Record<string, Action>> = Object.freeze({
  check,
  draft,
  emit,
  snapshot,
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
      { line: "governance snapshot", says: "whether the library is what its snapshot says" },
      { line: "governance snapshot --write", says: "write the snapshot anew" },
    ],
    arguments: [{ name: "ACTION" }],
    flags: [
      { name: "root", value: "DIR", help: "the checkout; otherwise the one you are in" },
      {
        name: "base",
        value: "REV",
        help: "compare with it; otherwise the last release, the fork from main, or HEAD~1",
      },
      { name: "to", value: "FILE", help: "emit: append to it" },
      { name: "write", help: "snapshot: write it" },
    ],
  },
  run: async (parsed, terminal) => {
    const [name = ""] = parsed.positionals;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action !== undefined) return await action(parsed, terminal);
    throw usageError(
      `governance can ${Object.keys(ACTIONS).join(", ")}, got "${name}"`,
      "governance",
    );
  },
};
