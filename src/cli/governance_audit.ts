/**
 * `governance audit`: the minutes after a release, on the running server; and whether a canary must stop.
 *
 * @module
 */

import { parsePolicy, type Policy, POLICY_FILE } from "../governance/policy.ts";
import { onInterrupt } from "../runtime/host.ts";
import { join, readText } from "../runtime/host_files.ts";
import { usageError } from "./args.ts";
import type { Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { type Finding, judgeAudit, judgeCanary, type Reading } from "./governance_audit_judge.ts";
import { checkoutRoot } from "./governance_checkout.ts";
import { writeRecord } from "./governance_record.ts";
import { parseExposition } from "./top_exposition.ts";
import type { Look } from "./top_figures.ts";
import { type Source, sourceOf } from "./top_source.ts";

/**
 * Audits a server, or compares two snapshots of metrics.
 *
 * @returns 0 when every check holds; 1 when one does not, or a canary must stop.
 */
export async function audit(parsed: Parsed, terminal: Terminal): Promise<number> {
  const root = await checkoutRoot(parsed.value("root"));
  const policy = parsePolicy(await readText(join(root, POLICY_FILE)));
  const canary = parsed.value("canary");
  const found = canary === undefined
    ? await auditServer(parsed, terminal, policy)
    : await compareCanary(canary, parsed, policy);
  return await tell(found, root, parsed, terminal);
}

interface Found {
  readonly title: string;
  readonly what: string;
  readonly findings: readonly Finding[];
  /** Said when something does not hold. */
  readonly otherwise: string;
}

async function compareCanary(old: string, parsed: Parsed, policy: Policy): Promise<Found> {
  const fresh = parsed.positionals[1];
  if (fresh === undefined) {
    throw usageError(
      "--canary wants two: --canary OLD NEW, each HOST:PORT or a file",
      "governance",
    );
  }
  const looks = await Promise.all(
    [old, fresh].map(async (one) => lookOf(await sourceOf(one).read())),
  );
  return {
    title: "Canary",
    what: `canary ${fresh} against ${old}`,
    findings: judgeCanary(looks[0]!, looks[1]!, policy),
    otherwise: "stop the canary",
  };
}

async function auditServer(parsed: Parsed, { err }: Terminal, policy: Policy): Promise<Found> {
  const name = parsed.positionals[1];
  if (name === undefined) {
    throw usageError("audit wants the address of a server's metrics: HOST:PORT", "governance");
  }
  const minutes = numberOf(parsed, "minutes", policy.post_release_audit.minutes);
  const every = numberOf(parsed, "every", 1);
  const source = sourceOf(name);
  const first = await source.read(); // a server that was never there is a wrong command line
  const before = parsed.value("baseline");
  const baseline = lookOf(before === undefined ? first : await sourceOf(before).read());
  if (!parsed.has("quiet")) {
    await err.write(`governance: audit of ${name} for ${minutes} minutes\n`);
  }
  const readings = await readFor(
    source,
    { look: lookOf(first), readiness: first.readiness },
    minutes,
    every,
  );
  return {
    title: `Audit after a release, ${minutes} minutes`,
    what: `${name}, ${readings.length} readings in ${minutes} minutes`,
    findings: judgeAudit(baseline, readings, policy),
    otherwise: "drain what was released and revert it by a second change",
  };
}

function numberOf(parsed: Parsed, flag: string, otherwise: number): number {
  const text = parsed.value(flag);
  const value = text === undefined ? otherwise : Number(text);
  if (value > 0 && value <= 1_440) return value;
  throw usageError(`--${flag} must be a number above 0, at most 1440, got "${text}"`, "governance");
}

/** Reads until the time is over or an interrupt; what cannot be read counts as not ready. */
async function readFor(
  source: Source,
  first: Reading,
  minutes: number,
  every: number,
): Promise<Reading[]> {
  const readings = [first];
  const end = performance.now() + minutes * 60_000;
  let wake = (): void => undefined;
  let stopped = false;
  const forget = onInterrupt(() => {
    stopped = true;
    wake();
  });
  try {
    while (!stopped && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(every * 1_000, end - performance.now()));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const { look } = readings.at(-1)!;
      const read = await source.read().then(
        (one): Reading => ({ look: lookOf(one), readiness: one.readiness }),
        (): Reading => ({ look, readiness: undefined }),
      );
      readings.push(read);
    }
  } finally {
    forget();
  }
  return readings;
}

function lookOf({ text }: { readonly text: string }): Look {
  return { at: performance.now(), samples: parseExposition(text) };
}

async function tell(
  found: Found,
  root: string,
  parsed: Parsed,
  { out, err }: Terminal,
): Promise<number> {
  const { title, what, findings, otherwise } = found;
  const passed = findings.every(({ holds }) => holds);
  if (parsed.has("json")) {
    await out.write(`${JSON.stringify({ what, passed, findings }, null, 2)}\n`);
  } else {
    const lines = findings.map(({ check, holds, how }) =>
      `${holds ? "holds " : "FAILS "} ${check}: ${how}`
    );
    const verdict = passed ? "every check holds" : `a check fails: ${otherwise}`;
    await out.write([...lines, `governance: ${verdict}`, ""].join("\n"));
  }
  if (parsed.has("write")) {
    const id = await writeRecord(root, {
      title,
      kind: "audit",
      decision: passed ? "passed" : "failed",
      rationale: `${what}: ${passed ? "every check holds" : "a check fails"}.`,
      evidence: findings.map(({ check, holds, how }) =>
        `${check}: ${holds ? "holds" : "fails"}: ${how}`
      ),
    });
    await err.write(`governance: the record is ${id}\n`);
  }
  return passed ? EXIT.ok : EXIT.failure;
}
