/**
 * `governance snapshot`: what is frozen, taken from the library that runs.
 *
 * @module
 */

import { classify } from "../governance/classify.ts";
import {
  differences,
  parseSnapshot,
  SNAPSHOT_FILE,
  snapshotText,
} from "../governance/identifiers.ts";
import { drift } from "../governance/judge.ts";
import { parsePolicy, POLICY_FILE } from "../governance/policy.ts";
import { refusalText } from "../governance/refusal.ts";
import { join, readText, readTextIfAny, writeText } from "../runtime/host_files.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot } from "./governance_checkout.ts";
import { extract } from "./governance_extract.ts";
import { homeOf } from "./governance_files.ts";

/**
 * Tells what differs from the committed snapshot, or writes it anew.
 *
 * @returns 0 when nothing differs, or it was written.
 */
export async function snapshot(parsed: Parsed, { out, err }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const policy = parsePolicy(await readText(join(root, POLICY_FILE)));
  const { identifiers, files } = await extract(root, policy.frozen.caps);
  const text = snapshotText(identifiers);
  const path = join(root, SNAPSHOT_FILE);
  const before = await readTextIfAny(path);
  const changes = differences(before === undefined ? {} : parseSnapshot(before), identifiers)
    .map((one) => classify(policy, one, homeOf(policy, one.identifier, [], files)));
  if (parsed.has("write")) {
    if (text !== before) await writeText(path, text);
    await err.write(`${SNAPSHOT_FILE}: ${changes.length} identifiers differ from before\n`);
    return EXIT.ok;
  }
  const refusals = drift(changes);
  if (parsed.has("json")) {
    await out.write(JSON.stringify({ identifiers, refusals }, null, 2) + "\n");
  } else {
    for (const one of refusals) await out.write(refusalText(one) + "\n");
    const count = Object.keys(identifiers).length;
    await out.write(
      refusals.length === 0
        ? `snapshot: ${count} identifiers are what ${SNAPSHOT_FILE} says\n`
        : `snapshot: ${refusals.length} identifiers are not what ${SNAPSHOT_FILE} says\n`,
    );
  }
  return refusals.length === 0 ? EXIT.ok : EXIT.failure;
}
