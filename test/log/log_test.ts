/** I-G7: one record is one line with bounded fields, whatever strangers put into it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { lineLogger, type LogRecord, Transport } from "../../mod.ts";
import { jsonLine, textLine } from "../../src/log/lines.ts";
import { describe, it } from "../harness.ts";

const BASE = {
  ts: "2026-01-01T00:00:00.000Z",
  level: "INFO",
  crate: "ron-transport",
  backend: "tcp",
  event: "reject",
} as const;

const FIELDS = [
  "ts",
  "level",
  "crate",
  "backend",
  "event",
  "reason",
  "conn_id",
  "corr_id",
  "peer_addr",
  "duration_ms",
  "bytes",
  "pq",
  "algo",
  "detail",
];

const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/;

/** Whether a line has nothing that a reader takes for a line break, and a terminal for a command. */
function harmless(line: string): boolean {
  return [...line].every((char) => char >= " " && char !== "\u2028" && char !== "\u2029");
}

/** Whether every surrogate has its other half: then UTF-8 gives the same text back. */
function wellFormed(text: string): boolean {
  return new TextDecoder().decode(new TextEncoder().encode(text)) === text ||
    text.startsWith("\ufeff");
}

describe("lines of the log", () => {
  it("I-G7: are one line each and bounded, for 10 000 hostile strings", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom(
        "a\r\nlevel=ERROR",
        "\u001b[2J\u001b]0;x\u0007",
        "\u2028\u2029\u0085",
        "\0",
        "\ud800",
        "x".repeat(65_536),
        '"}\n{"ts":"x',
        "\u202eevil\u2066",
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, (detail, id) => {
        const record: LogRecord = { ...BASE, detail, corr_id: id };
        const json = jsonLine(record);
        assert.equal(json.indexOf("\n"), json.length - 1);
        assert.ok(harmless(json.slice(0, -1)));
        const back = JSON.parse(json) as LogRecord;
        assert.ok(back.detail!.length <= 256 && back.corr_id!.length <= 256);
        assert.ok(wellFormed(back.detail!));
        if (detail.length <= 256 && wellFormed(detail)) {
          assert.equal(back.detail, detail);
        }
        const text = textLine(record);
        assert.equal(text.indexOf("\n"), text.length - 1);
        assert.ok(harmless(text.slice(0, -1)) && !DIRECTIONS.test(text));
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("the log of a transport", () => {
  it("IT-OBS-02: tells dials, handshakes, refusals and ends with these fields and no others", async () => {
    const records: LogRecord[] = [];
    const logger = (record: LogRecord): void => void records.push(record);
    const log = { level: "trace" } as const;
    await using server = new Transport({ max_conns: 1, log }, { logger });
    await using client = new Transport({ log, read_timeout: "5s" }, { logger });
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: (connection) => connection.closed.then(),
    });
    const first = await client.dial(listener.address);
    await client.dial(listener.address).then((c) => c.close(), () => {});
    first.abort();
    await client.dial({ hostname: "127.0.0.1", port: 1 }).catch(() => {});
    while (server.counters().inflight > 0) await new Promise((next) => setTimeout(next, 0));
    await client.drain();
    await server.drain();
    const events = records.map(({ event, reason }) =>
      reason === undefined ? event : `${event} ${reason}`
    );
    for (
      const wanted of ["dial", "handshake", "reject peer_limit", "dial io_closed", "shutdown"]
    ) assert.ok(events.includes(wanted), `${wanted} in ${events.join(", ")}`);
    for (const record of records) {
      assert.deepEqual(Object.keys(record).filter((key) => !FIELDS.includes(key)), []);
      assert.equal(record.crate, "ron-transport");
      assert.match(record.ts, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
    const opened = records.find(({ event }) => event === "handshake")!;
    assert.match(opened.conn_id!, /^[0-9a-f]{8}$/);
    assert.match(opened.peer_addr!, /^127\.0\.0\.1:\d+$/);
    assert.equal(typeof opened.duration_ms, "number");
  });

  it("obeys the level and the format, also after a reload, and survives a logger that throws", async () => {
    const lines: string[] = [];
    await using transport = new Transport(
      { log: { level: "warn", format: "text" } },
      { logger: lineLogger((line) => lines.push(line)) },
    );
    await transport.dial({ hostname: "127.0.0.1", port: 1 }).catch(() => {});
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^\S+Z WARN {2}dial backend=tcp reason=io_closed/);
    transport.reload({ log: { level: "error" } });
    await transport.dial({ hostname: "127.0.0.1", port: 1 }).catch(() => {});
    assert.equal(lines.length, 1);
    const broken = new Transport({}, {
      logger: () => {
        throw new Error("disk full");
      },
    });
    await broken.drain();
    assert.equal(broken.counters().hookFailures, 1);
  });
});
