/** The audit after a release, canaries, and the appeal. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeAudit, judgeCanary, type Reading } from "../../src/cli/governance_audit_judge.ts";
import { scenes } from "../../src/cli/governance_tabletop.ts";
import { type Appeal, appealFaults } from "../../src/governance/appeal.ts";
import { parseMaintainers } from "../../src/governance/maintainers.ts";
import { parsePolicy } from "../../src/governance/policy.ts";
import { parseExposition } from "../../src/cli/top_exposition.ts";
import type { Look } from "../../src/cli/top_figures.ts";
import type { Told } from "../../src/cli/top_source.ts";
import { run } from "../cli/terminal.ts";
import { describe, it, ROOT } from "../harness.ts";

const policy = parsePolicy(await readFile(join(ROOT, "governance/policy.json"), "utf8"));
const holders = parseMaintainers(await readFile(join(ROOT, "MAINTAINERS"), "utf8"));
const EDGES = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

interface Counts {
  readonly accepts?: number;
  readonly dials?: number;
  readonly dialErrors?: number;
  readonly rejects?: Readonly<Record<string, number>>;
  /** Handshakes in each bucket. */
  readonly handshakes?: readonly number[];
}

/** An exposition with these figures. */
function metrics(
  { accepts = 0, dials = 0, dialErrors = 0, rejects = {}, handshakes = [] }: Counts,
): string {
  let sum = 0;
  const buckets = [...EDGES, Infinity].map((edge, i) => {
    sum += handshakes[i] ?? 0;
    const le = edge === Infinity ? "+Inf" : String(edge);
    return `handshake_latency_seconds_bucket{backend="tls",pq="off",le="${le}"} ${sum}`;
  });
  return [
    `transport_accepts_total{backend="tls"} ${accepts}`,
    `transport_dials_total{backend="tls",result="ok"} ${dials - dialErrors}`,
    `transport_dials_total{backend="tls",result="err"} ${dialErrors}`,
    ...Object.entries(rejects).map(([reason, n]) => `rejected_total{reason="${reason}"} ${n}`),
    ...buckets,
    "",
  ].join("\n");
}

const look = (counts: Counts): Look => ({ at: 0, samples: parseExposition(metrics(counts)) });
const READY: Told = { state: "Ready" };
const reading = (counts: Counts, readiness: Told | undefined = READY): Reading => {
  return { look: look(counts), readiness };
};
const BEFORE: Counts = { accepts: 1_000, rejects: { rate_limited: 2 }, handshakes: [0, 900, 100] };
/** What was before, and as much again. */
const AFTER: Counts = { accepts: 2_000, rejects: { rate_limited: 4 }, handshakes: [0, 1_800, 200] };

function failing(readings: readonly Reading[]): string {
  return judgeAudit(look(BEFORE), readings, policy)
    .filter(({ holds }) => !holds).map(({ check, how }) => `${check}: ${how}`).join("\n");
}

describe("I-16: audit after a release", () => {
  it("holds when all is as before", () => {
    assert.equal(failing([reading(BEFORE), reading(BEFORE), reading(AFTER)]), "");
  });

  it("fails on a probe that is not 200, on NotReady, on no answer, on a start anew", () => {
    const degraded: Told = { state: "Degraded", reason: "arti_bootstrap" };
    assert.match(
      failing([reading(BEFORE), reading(AFTER, degraded)]),
      /^readiness answers 200: 1 of 2 probes$/,
    );
    const gone: Told = { state: "NotReady", reason: "internal" };
    const flap = failing([reading(BEFORE), reading(BEFORE, gone), reading(AFTER)]);
    assert.match(flap, /no change to NotReady: NotReady \(internal\) at probe 2/);
    const silent: Reading = { look: look(BEFORE), readiness: undefined };
    assert.match(failing([reading(BEFORE), silent, reading(AFTER)]), /no answer at probe 2/);
    assert.match(
      failing([reading(AFTER), reading(BEFORE)]),
      /counters went back: it was started anew/,
    );
  });

  it("fails on slower handshakes, too few to tell, and more refusals than before", () => {
    const slower = { ...AFTER, handshakes: [0, 1_700, 200, 100] };
    assert.match(failing([reading(BEFORE), reading(slower)]), /^handshake times as before: p95/);
    const few = { ...AFTER, handshakes: [0, 905, 100] };
    assert.match(failing([reading(BEFORE), reading(few)]), /5 now: 20 each are needed to tell/);
    const refused = { ...AFTER, rejects: { rate_limited: 40 } };
    assert.match(
      failing([reading(BEFORE), reading(refused)]),
      /^rejected_total not above its baseline: 3\.8 % of/,
    );
    const slack = { ...AFTER, rejects: { rate_limited: 5 } };
    assert.equal(failing([reading(BEFORE), reading(slack)]), "");
    const plain = { accepts: 10 };
    const noTls = judgeAudit(look(plain), [reading(plain), reading({ accepts: 20 })], policy);
    assert.ok(noTls.every(({ holds }) => holds));
  });
});

describe("I-16: canary", () => {
  const stop = (old: Counts, canary: Counts): boolean =>
    judgeCanary(look(old), look(canary), policy).some(({ holds }) => !holds);
  // the 95th of 100 lies in the bucket from 50 to 100 ms
  const tail = (n: number): readonly number[] => [0, 0, 100 - n, n];

  it("stops at 10 % more handshake p95, and not below", () => {
    const old = { accepts: 100, handshakes: tail(100) }; // p95 97.5 ms
    assert.equal(stop(old, old), false);
    assert.equal(stop(old, { accepts: 100, handshakes: [0, 0, 0, 94, 6] }), true); // 125 ms
    assert.equal(
      stop({ accepts: 100, handshakes: tail(10) }, { accepts: 100, handshakes: tail(11) }),
      false,
    );
    assert.equal(
      stop({ accepts: 100, handshakes: tail(10) }, { accepts: 100, handshakes: tail(40) }),
      true,
    );
  });

  it("stops at more than 0.1 % of errors; refusals by a limit are none", () => {
    const old = { accepts: 10_000, handshakes: tail(100) };
    assert.equal(stop(old, { ...old, rejects: { tls: 10 } }), false);
    assert.equal(stop(old, { ...old, rejects: { tls: 11 } }), true);
    assert.equal(stop(old, { ...old, rejects: { timeout: 6, tls: 6 } }), true);
    assert.equal(stop(old, { ...old, rejects: { rate_limited: 500 } }), false);
    assert.equal(stop(old, { ...old, dials: 1_000, dialErrors: 12 }), true);
  });

  it("does not pass what it cannot judge", () => {
    const few = { accepts: 5, handshakes: [0, 5] };
    assert.equal(stop(few, few), true);
    assert.equal(stop({}, {}), true);
  });
});

describe("governance audit", () => {
  it("reads a listener for its minutes, and ends with 1 when a check fails", async () => {
    let served = 0;
    const server = createServer((request, response) => {
      if (request.url === "/ready") {
        served++;
        response.writeHead(served === 2 ? 503 : 200);
        return void response.end(served === 2 ? '{"ready":false,"reason":"internal"}' : "{}");
      }
      response.end(metrics(served < 2 ? BEFORE : AFTER));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const flags = ["--minutes", "0.01", "--every", "0.1", "--json", "--root", ROOT];
    const failed = await run("governance", "audit", at, ...flags);
    assert.equal(failed.code, 1, failed.err);
    const { passed, findings } = JSON.parse(failed.out) as {
      passed: boolean;
      findings: { check: string; holds: boolean; how: string }[];
    };
    assert.equal(passed, false);
    assert.deepEqual(findings.map(({ check }) => check), policy.post_release_audit.checks);
    assert.match(findings[1]!.how, /NotReady \(internal\) at probe 2/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("--canary compares two files; wrong command lines end with 2", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ron-canary-"));
    try {
      const [old, fresh] = [join(folder, "old.txt"), join(folder, "new.txt")];
      await writeFile(old, metrics(BEFORE));
      await writeFile(fresh, metrics({ ...BEFORE, rejects: { tls: 5 } }));
      const root = ["--root", ROOT];
      const stopped = await run("governance", "audit", "--canary", old, fresh, ...root);
      assert.equal(stopped.code, 1);
      assert.match(stopped.out, /^FAILS {2}errors: 5 of 1000, 0\.5 %; at most 0\.1 %$/m);
      assert.match(stopped.out, /stop the canary/);
      const held = await run("governance", "audit", "--canary", old, old, ...root);
      assert.equal(held.code, 0, held.out);
      assert.equal((await run("governance", "audit", "--canary", old, ...root)).code, 2);
      assert.equal((await run("governance", "audit", ...root)).code, 2);
      const minutes = ["governance", "audit", "127.0.0.1:1", "--minutes", "-1"];
      assert.equal((await run(...minutes, ...root)).code, 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("governance tabletop", () => {
  it("every scene is judged as it must be", async () => {
    const { code, out } = await run("governance", "tabletop", "--root", ROOT);
    assert.equal(code, 0, out);
    assert.match(out, /12 scenes, 0 judged wrongly\n$/);
  });

  it("72 hours of review are those of weekdays, and who appeals breaks no tie", () => {
    const friday = Date.parse("2026-11-27T12:00:00Z");
    const [good] = scenes(policy, holders, friday);
    const at = (time: string): Appeal => {
      const votes = good!.appeal.tieBreak.map((vote) => ({ ...vote, at: Date.parse(time) }));
      return { ...good!.appeal, tieBreak: votes };
    };
    assert.deepEqual(appealFaults(at("2026-12-02T12:00:00Z"), policy, holders), []);
    assert.match(
      appealFaults(at("2026-11-30T12:00:00Z"), policy, holders).join(),
      /after 24 of 72 hours/,
    );
    const two = { ...holders, security: ["mia", "noa"], release_manager: ["mia", "noa"] };
    const mia = { ...good!.appeal, openedBy: "mia" };
    const tieBreak = good!.appeal.tieBreak.map((vote) => ({ ...vote, by: "mia" }));
    assert.match(appealFaults({ ...mia, tieBreak }, policy, two).join(), /mia made the appeal/);
  });
});
