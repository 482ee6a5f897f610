/**
 * A checkout against a revision of it: everything that differs, with its class.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { type Change, classify } from "../governance/classify.ts";
import {
  type Difference,
  differences,
  type Identifiers,
  parseSnapshot,
  SNAPSHOT_FILE,
} from "../governance/identifiers.ts";
import { type GovernanceLog, type Json, LOG_FILE, parseLog } from "../governance/log.ts";
import {
  type Holders,
  MAINTAINERS_FILE,
  parseMaintainers,
  roleIdentifiers,
} from "../governance/maintainers.ts";
import { parsePolicy, type Policy, POLICY_FILE, policyIdentifiers } from "../governance/policy.ts";
import {
  join,
  makeDirectory,
  readText,
  readTextIfAny,
  systemCode,
  writeText,
} from "../runtime/host_files.ts";
import {
  type Base,
  changedFiles,
  chooseBase,
  git,
  lastTag,
  layOut,
} from "./governance_checkout.ts";
import { type Extract, extract, PROBE_FILES } from "./governance_extract.ts";
import { homeOf } from "./governance_files.ts";

/** The documents of governance in a tree, and its version. */
export interface Documents {
  readonly policy: Policy;
  readonly holders: Holders;
  readonly log: GovernanceLog;
  readonly version: string;
  /** Identifiers of what is no library: rules, roles, invariants and how often tests name them. */
  readonly identifiers: Identifiers;
}

/** What a comparison found. */
export interface Comparison {
  readonly root: string;
  /** What it was compared with, or why with nothing. */
  readonly base: Base | string;
  /** What of the base could not be had. */
  readonly notes: readonly string[];
  /** Whether there was a release: then all is refused that lacks its record. */
  readonly released: boolean;
  readonly documents: Documents;
  readonly baseDocuments: Documents | undefined;
  readonly head: Extract;
  readonly changes: readonly Change[];
  /** Files that differ. */
  readonly files: readonly string[];
}

/** What bases were, by commit: for those who compare many trees with one. */
export type Bases = Map<string, Promise<Before>>;

/**
 * Compares a checkout with a revision of it.
 *
 * @param root The checkout.
 * @param asked The revision; without it see {@linkcode chooseBase}.
 * @param bases Bases of earlier comparisons in the same repository.
 */
export async function compare(
  root: string,
  asked: string | undefined,
  bases: Bases = new Map(),
): Promise<Comparison> {
  const base = await chooseBase(root, asked);
  const documents = await documentsIn(root);
  const headLibrary = extract(root, documents.policy.frozen.caps);
  headLibrary.catch(() => {}); // awaited below, after what may fail first
  const old = typeof base === "string" ? undefined : await known(bases, root, base, documents);
  const head = await headLibrary;
  const files = typeof base === "string" ? [] : await changedFiles(root, base.commit);
  const judgedBy = old?.documents?.policy ?? documents.policy;
  const found = old === undefined ? [] : [
    ...differences(old.identifiers, { ...documents.identifiers, ...head.identifiers })
      .filter(({ identifier }) => old.knows(identifier)),
    ...touchedAreas(judgedBy, files),
  ];
  return {
    root,
    base,
    notes: old?.notes ?? [],
    released: await isReleased(root),
    documents,
    baseDocuments: old?.documents,
    head,
    changes: found.map((one) =>
      classify(judgedBy, one, homeOf(documents.policy, one.identifier, files, head.files))
    ),
    files,
  };
}

function known(bases: Bases, root: string, base: Base, own: Documents): Promise<Before> {
  const found = bases.get(base.commit) ?? before(root, base, own);
  bases.set(base.commit, found);
  return found;
}

/** What the base of a comparison was. */
export interface Before {
  readonly identifiers: Identifiers;
  readonly documents: Documents | undefined;
  readonly notes: readonly string[];
  /** Whether the base could have had an identifier, so that its absence there means something. */
  readonly knows: (identifier: string) => boolean;
}

async function before(root: string, { commit }: Base, own: Documents): Promise<Before> {
  await using tree = await layOut(root, commit);
  const notes: string[] = [];
  const short = commit.slice(0, 9);
  let documents: Documents | undefined;
  try {
    documents = await documentsIn(tree.root, { root, commit });
  } catch (error) {
    notes.push(`${short} has no policy, log and roles: head's are used${reason(error)}`);
  }
  await makeDirectory(join(tree.root, "src/governance"));
  for (const file of PROBE_FILES) {
    await writeText(join(tree.root, file), await readText(join(root, file)));
  }
  let identifiers: Identifiers = {};
  let families: Set<string> | undefined;
  try {
    identifiers = (await extract(tree.root, (documents ?? own).policy.frozen.caps)).identifiers;
  } catch (error) {
    const text = await readTextIfAny(join(tree.root, SNAPSHOT_FILE));
    if (text === undefined) {
      notes.push(
        `${short} cannot be run and has no snapshot: only documents and files are compared`,
      );
    } else {
      identifiers = parseSnapshot(text);
      notes.push(`${short} cannot be run: its snapshot is taken${reason(error)}`);
    }
    families = new Set(Object.keys(identifiers).map((name) => name.split(":")[0]!));
  }
  const documented = /^(?:policy|role|invariant|tested):/;
  return {
    identifiers: { ...documents?.identifiers, ...identifiers },
    documents,
    notes,
    knows: (identifier) => {
      // The rules themselves say more than the digest of their file.
      if (identifier === "policy:digest") return false;
      if (documented.test(identifier)) return documents !== undefined;
      return families?.has(identifier.split(":")[0]!) ?? true;
    },
  };
}

async function documentsIn(
  tree: string,
  revision?: { readonly root: string; readonly commit: string },
): Promise<Documents> {
  const read = (file: string): Promise<string> => readText(join(tree, file));
  const policy = await read(POLICY_FILE);
  const holders = parseMaintainers(await read(MAINTAINERS_FILE));
  const manifest = JSON.parse(await read("deno.json")) as { version: string };
  const invariants = await readTextIfAny(join(tree, "governance/invariants.json")) ?? "[]";
  const held = JSON.parse(invariants) as readonly { readonly id: string; readonly holds: string }[];
  const counts = await testsNaming(revision?.root ?? tree, revision?.commit);
  const identifiers: Record<string, Json> = {
    ...policyIdentifiers(policy) as Record<string, Json>,
    ...roleIdentifiers(holders) as Record<string, Json>,
  };
  for (const { id, holds } of held) {
    identifiers[`invariant:${id}`] = holds;
    identifiers[`tested:${id}`] = counts.get(id) ?? 0;
  }
  return {
    policy: parsePolicy(policy),
    holders,
    log: parseLog(await read(LOG_FILE)),
    version: manifest.version,
    identifiers,
  };
}

/** How often the titles of tests name each invariant. */
async function testsNaming(root: string, commit: string | undefined): Promise<Map<string, number>> {
  const pattern = `["'\`].*\\bI-G?[0-9]+[a-z]?\\b`;
  const [untracked, where] = commit === undefined ? [["--untracked"], []] : [[], [commit]];
  const { stdout } = await git(
    root,
    "grep",
    "-h",
    "-E",
    ...untracked,
    "-e",
    pattern,
    ...where,
    "--",
    "test/*_test.ts",
  );
  const counts = new Map<string, number>();
  for (const [id] of stdout.matchAll(/\bI-G?[0-9]+[a-z]?\b/g)) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Areas with rules of their own in which files differ: those that security signs for, and the check itself. */
function touchedAreas(policy: Policy, files: readonly string[]): Difference[] {
  const starts = [
    ...Object.values(policy.signed_areas).flatMap(({ paths }) => paths),
    ...policy.the_check.paths,
  ];
  return starts.flatMap((start) => {
    const count = files.filter((file) => file.startsWith(start)).length;
    if (count === 0) return [];
    const now = `${count} ${count === 1 ? "file" : "files"} edited`;
    return [{ identifier: `path:${start}`, old: "as it was", new: now }];
  });
}

/** A release tag, or a section of the changelog that has a date: a shallow clone may have no tags. */
async function isReleased(root: string): Promise<boolean> {
  if (await lastTag(root) !== undefined) return true;
  const changelog = await readTextIfAny(join(root, "CHANGELOG.md")) ?? "";
  return /^## v?\d+\.\d+\.\d+\S* .*\d{4}-\d{2}-\d{2}/m.test(changelog);
}

/** Why, where that is more than that a file is not there. */
function reason(error: unknown): string {
  if (systemCode(error) === "ENOENT") return "";
  const known = TransportError.from(error, "internal", { op: "governance" });
  return ` (${known.message.split("\n")[0]})`;
}
