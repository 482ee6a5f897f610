/**
 * `governance drill`: somebody with every permission tries to raise the hard limits. Each attempt must be
 * refused, by the library that runs this and by the check that merges pass.
 *
 * @module
 */

import { removePath, temporaryDirectory } from "../runtime/host_files.ts";
import { processFacts } from "../runtime/host.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { checkoutRoot } from "./governance_checkout.ts";
import { type Attempt, attempt, type Tried } from "./governance_drill_attempt.ts";
import { checkAttempts } from "./governance_drill_check.ts";
import { libraryAttempts } from "./governance_drill_library.ts";
import { writeRecord } from "./governance_record.ts";

/**
 * Runs it.
 *
 * @returns 0 when every attempt was refused; 1 when one got through.
 */
export async function drill(parsed: Parsed, { out, err }: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const folder = await temporaryDirectory();
  const { attempts, close } = libraryAttempts(folder);
  const tried: Tried[] = [];
  const show = async (one: Attempt): Promise<void> => {
    const made = await attempt(one);
    tried.push(made);
    if (!parsed.has("json")) await out.write(`${lineOf(made)}\n`);
  };
  try {
    for (const one of attempts) await show(one);
    for (const one of await checkAttempts(root, folder)) await show(one);
  } finally {
    await close();
    await removePath(folder);
  }
  const through = tried.filter(({ outcome }) => !outcome.refused);
  const { runtime, version } = processFacts();
  if (parsed.has("json")) {
    await out.write(
      `${JSON.stringify({ passed: through.length === 0, attempts: tried }, null, 2)}\n`,
    );
  }
  const said = `${tried.length} attempts, ${through.length} got through`;
  if (parsed.has("write")) {
    const id = await writeRecord(root, {
      title: `Drill: raising limits, ${tried.length} attempts`,
      kind: "drill",
      decision: through.length === 0 ? "passed" : "failed",
      rationale:
        `An insider tries to raise the hard limits by every way there is. On ${runtime} ${version}: ${said}.`,
      evidence: tried.map(evidence),
    });
    await err.write(`governance: the record is ${id}\n`);
  }
  if (!parsed.has("json")) await out.write(`governance: drill: ${said}\n`);
  return through.length === 0 ? EXIT.ok : EXIT.failure;
}

function lineOf({ name, against, outcome }: Tried): string {
  const audit = outcome.audit === undefined ? "" : ` [${outcome.audit}]`;
  return `${outcome.refused ? "held   " : "THROUGH"} ${against}: ${name}: ${outcome.how}${audit}`;
}

function evidence({ name, against, expects, outcome }: Tried): string {
  const verdict = outcome.refused ? "held" : "got through";
  const audit = outcome.audit === undefined ? "" : `; audit: ${outcome.audit}`;
  return `${against}: ${name}: expected ${expects}; ${verdict}: ${outcome.how}${audit}`;
}
