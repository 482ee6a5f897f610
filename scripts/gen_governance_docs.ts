/**
 * Writes the tables of `docs/GOVERNANCE.md` from the policy and the holders of roles. With `--check` it
 * writes nothing and tells whether they differ.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { quorumText } from "../src/governance/approval.ts";
import { MAINTAINERS_FILE, parseMaintainers } from "../src/governance/maintainers.ts";
import {
  type ClassRule,
  type LevelOrNever,
  parsePolicy,
  POLICY_FILE,
  ROLE_NAMES,
} from "../src/governance/policy.ts";
import { ROOT } from "../test/runtimes.ts";
import { table, withSection } from "./lib/markdown.ts";

const DOCUMENT = "docs/GOVERNANCE.md";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const code = (text: string): string => "`" + text + "`";
const policy = parsePolicy(read(POLICY_FILE));
const holders = parseMaintainers(read(MAINTAINERS_FILE));

const level = (of: LevelOrNever | undefined, step?: string): string =>
  of === undefined ? "" : step === undefined ? String(of) : `${of}, ${step}`;

function classRow([name, rule]: [string, ClassRule]): string[] {
  const { covers, maintainers, security, review_hours, release } = rule;
  const approves = "votes" in maintainers && maintainers.votes === 0
    ? "its service owner"
    : quorumText(maintainers);
  return [
    name,
    covers,
    approves,
    security,
    review_hours === 0 ? "" : `${review_hours} hours`,
    release === "none" ? "no release" : release,
  ];
}

const SECTIONS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  ceilings: [
    ["ceiling", "figure"],
    ...Object.entries(policy.frozen.caps).map(([name, cap]) => [code(name), String(cap)]),
  ],
  roles: [
    ["role", "owns", "held by"],
    ...ROLE_NAMES.map((role) => [
      code(role),
      policy.roles[role].owns.join("; "),
      holders[role].join(", "),
    ]),
  ],
  authority: [
    ["who", "may", "only"],
    ...policy.authority.map(({ who, may, only }) => [who.replace("_", " "), may, only]),
  ],
  classes: [
    ["class", "covers", "maintainers", "security", "review", "release"],
    ...Object.entries(policy.classes).map(classRow),
  ],
  families: [
    ["identifier", "is", "added", "widened", "changed", "removed"],
    ...Object.entries(policy.families).map(([name, family]) => [
      code(`${name}:`),
      family.is,
      level(family.added, family.added_release),
      level(family.widened, family.widened_release),
      level(family.changed),
      level(family.removed),
    ]),
  ],
  risks: [
    ["risk", "class", "what stops it"],
    ...policy.risks.map(({ risk, class: grave, guard }) => [risk, String(grave), guard]),
  ],
};

const before = read(DOCUMENT);
let after = before;
for (const [name, rows] of Object.entries(SECTIONS)) {
  after = withSection(after, name, table(rows), DOCUMENT);
}
if (before === after) console.log(`governance: ${DOCUMENT} agrees with ${POLICY_FILE}`);
else if (process.argv.includes("--check")) {
  console.log(`governance: ${DOCUMENT} differs from ${POLICY_FILE}`);
  process.exitCode = 1;
} else {
  writeFileSync(join(ROOT, DOCUMENT), after);
  console.log(`governance: wrote ${DOCUMENT}`);
}
