/** Audit: exactly the specified fields, in order, and nothing a hook does reaches the data path. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditEvent, Transport, TransportError } from "../../mod.ts";
import {
  auditFile,
  type JetStreamPublisher,
  jsonLines,
  natsAudit,
  policyChanged,
} from "../../src/audit/mod.ts";
import { deferred } from "../../src/deferred.ts";
import { ManualClock } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const POLICY = {
  class: 0,
  old: "8",
  new: "9",
  actor: "a",
  pr: "1",
  commit: "c",
  ts: "2026-11-25T10:00:00+01:00",
} as const;

describe("audit events", () => {
  it("have exactly the specified fields", async () => {
    const events: AuditEvent[] = [];
    const transport = new Transport({}, { onAudit: (event) => void events.push(event) });
    const listener = await transport.listen({ address: "tcp://127.0.0.1:0" });
    transport.reload({ max_conns: 5 });
    transport.reload({ max_conns: 0 });
    transport.reload({ bind_addr: null });
    await listener.close();
    await transport.close();
    await turn();
    assert.deepEqual(events, [
      { event: "TransportReadinessTransition", from: "NotReady", to: "Ready", reason: null },
      { event: "TransportConfigReloaded", result: "applied", version: 2 },
      { event: "TransportConfigReloaded", result: "rejected", version: 2 },
      { event: "TransportConfigReloaded", result: "rebind_required", version: 2 },
      { event: "TransportReadinessTransition", from: "Ready", to: "NotReady", reason: "draining" },
    ]);
    for (const event of events) assert.ok(Object.isFrozen(event));
    assert.deepEqual(Object.keys(policyChanged(POLICY)), [
      "event",
      "class",
      "old",
      "new",
      "actor",
      "pr",
      "commit",
      "ts",
    ]);
  });

  it("of a policy are checked: each field is needed, and the time has a zone", () => {
    assert.deepEqual(policyChanged(POLICY), { event: "TransportPolicyChanged", ...POLICY });
    for (
      const wrong of [
        { class: 4 },
        { old: "" },
        { actor: undefined },
        { pr: "x".repeat(2_000) },
        { ts: "2026-11-25T10:00:00" },
        { ts: "2026-13-45T10:00:00Z" },
      ]
    ) {
      const fields = { ...POLICY, ...wrong } as unknown as typeof POLICY;
      const field = new RegExp(`^${Object.keys(wrong)[0]} must be`);
      assert.throws(() => policyChanged(fields), { message: field, kind: "config_invalid" });
    }
  });
});

describe("the audit hook", () => {
  it("comes after the fact, in order, the next event when it is done with the one before", async () => {
    const gates = [deferred<void>(), deferred<void>()];
    const seen: number[] = [];
    const transport = new Transport({}, {
      onAudit: async (event) => {
        seen.push("version" in event ? event.version : 0);
        await gates[seen.length - 1]?.promise;
      },
    });
    transport.reload({ max_conns: 2 });
    assert.deepEqual(seen, [], "reload has returned, and the hook has not run");
    transport.reload({ max_conns: 3 });
    transport.reload({ max_conns: 4 });
    await turn();
    assert.deepEqual(seen, [2]);
    gates[0]!.resolve();
    await turn();
    assert.deepEqual(seen, [2, 3]);
    gates[1]!.resolve();
    await turn();
    assert.deepEqual(seen, [2, 3, 4]);
    await transport.close();
  });

  it("that throws or rejects is counted, and the next event comes", async () => {
    let calls = 0;
    const transport = new Transport({}, {
      onAudit: () => {
        calls++;
        if (calls === 1) throw new Error("no");
        return Promise.reject(new Error("no"));
      },
    });
    transport.reload({ max_conns: 2 });
    assert.equal(transport.reload({ max_conns: 3 }).result, "applied");
    await turn();
    assert.equal(calls, 2);
    assert.equal(transport.counters().hookFailures, 2);
    await transport.close();
  });

  it("that never ends keeps 1024 events, and then the newest: what is lost is counted", async () => {
    const transport = new Transport({}, { onAudit: () => new Promise(() => {}) });
    transport.reload({});
    await turn();
    for (let i = 0; i < 1_030; i++) transport.reload({});
    assert.equal(transport.counters().auditDropped, 6);
    assert.equal(transport.configVersion, 1_032);
    await transport.close();
  });
});

describe("audit sinks", () => {
  it("a file of JSON lines is appended to, and only its owner can read it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ron-audit-"));
    const path = join(directory, "audit.jsonl");
    for (let run = 0; run < 2; run++) {
      await using file = await auditFile(path);
      const transport = new Transport({}, { onAudit: file.hook });
      transport.reload({ max_conns: 0 });
      await turn();
      await turn();
      await transport.close();
    }
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    const reloads = lines.map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ event }) => event === "TransportConfigReloaded");
    assert.deepEqual(
      reloads,
      Array(2).fill({ event: "TransportConfigReloaded", result: "rejected", version: 1 }),
    );
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await rm(directory, { recursive: true });
  });

  it("each event is one line, whatever is in it", () => {
    const lines: string[] = [];
    const hook = jsonLines((line) => void lines.push(line));
    const event = policyChanged({ ...POLICY, old: "a\nb\u2028c" });
    hook(event);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]!.split("\n").length, 2);
    assert.deepEqual(JSON.parse(lines[0]!), event);
  });

  /** A stream that is away until told otherwise. */
  const stream = (): JetStreamPublisher & { away: boolean; ids: string[]; got: AuditEvent[] } => ({
    away: false,
    ids: [],
    got: [],
    publish(_subject, payload, { msgID }) {
      this.ids.push(msgID);
      if (this.away) return Promise.reject(new Error("away"));
      this.got.push(JSON.parse(new TextDecoder().decode(payload)) as AuditEvent);
      return Promise.resolve();
    },
  });
  const reloaded = (version: number): AuditEvent => {
    return { event: "TransportConfigReloaded", result: "applied", version };
  };
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await null;
  };

  it("NATS away: events wait within bounds, the oldest go and are counted, and it catches up", async () => {
    const clock = new ManualClock();
    const server = stream();
    const sink = natsAudit(server, { buffer: 3, clock, retryMs: 400 });
    sink.hook(reloaded(1));
    await settle();
    assert.deepEqual(sink.counters(), { stored: 1, waiting: 0, dropped: 0, failures: 0 });
    server.away = true;
    for (let n = 2; n <= 6; n++) sink.hook(reloaded(n));
    await settle();
    assert.deepEqual(sink.counters(), { stored: 1, waiting: 3, dropped: 2, failures: 1 });
    clock.advance(99);
    await settle();
    assert.equal(sink.counters().failures, 1);
    for (const wait of [1, 200, 400, 400]) {
      clock.advance(wait);
      await settle();
    }
    assert.equal(sink.counters().failures, 5);
    server.away = false;
    const flushed = sink.flush(10_000);
    clock.advance(400);
    assert.equal(await flushed, true);
    const versions = server.got.map((event) => "version" in event && event.version);
    assert.deepEqual(versions, [1, 2, 5, 6], "the one on its way is not the one that goes");
    assert.equal(new Set(server.ids).size, 4, "an attempt made again has the same id");
    assert.deepEqual(sink.counters(), { stored: 4, waiting: 0, dropped: 2, failures: 5 });
    sink.close();
  });

  it("closing gives up what waits; bounds out of range are refused", async () => {
    const clock = new ManualClock();
    const server = stream();
    server.away = true;
    const sink = natsAudit(server, { clock });
    sink.hook(reloaded(1));
    await settle();
    const flushed = sink.flush(50);
    clock.advance(50);
    assert.equal(await flushed, false);
    sink.close();
    sink.hook(reloaded(2));
    assert.deepEqual(sink.counters(), { stored: 0, waiting: 0, dropped: 2, failures: 1 });
    for (const options of [{ buffer: 0 }, { buffer: 1_025 }, { timeoutMs: 0 }, { retryMs: 1.5 }]) {
      assert.throws(() => natsAudit(server, options), TransportError);
    }
  });
});
