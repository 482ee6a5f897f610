/**
 * The rogue-operator drill: an insider tries to raise the hard limits by every way there is to a running
 * server. Each attempt is refused, what was in force stays, and the attempts on the server are on record.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditEvent, CAPS, ConfigError, Transport, TransportError } from "../../mod.ts";
import { loadConfig } from "../../src/config/mod.ts";
import { KEY_LIST } from "../../src/config/keys.ts";
import { chunk, Decoder, encodeFrame, FLAGS, fragment, inflate } from "../../src/oap/mod.ts";
import { raiseByArgument } from "../../src/cli/demo_raised_caps.ts";
import { run } from "../cli/terminal.ts";
import { describe, it } from "../harness.ts";

const FRAME = CAPS.frameBytes + 1;
const CHUNK = CAPS.chunkBytes + 1;

/** Every way to write a frame or chunk that is too large. */
const RAISED: readonly unknown[] = [
  { limits: { max_frame_bytes: FRAME } },
  { limits: { max_frame_bytes: String(FRAME) } },
  { limits: { max_frame_bytes: `${FRAME}B` } },
  { limits: { max_frame_bytes: "2MiB" } },
  { limits: { max_frame_bytes: 2 ** 40 } },
  { limits: { max_frame_bytes: 1e308 } },
  { limits: { max_frame_bytes: Infinity } },
  { limits: { max_frame_bytes: NaN } },
  { limits: { max_frame_bytes: -1 } },
  { limits: { max_frame_bytes: null } },
  { limits: { max_frame_bytes: 2n ** 32n } },
  { limits: { max_body_bytes: FRAME } },
  { limits: { max_frame_bytes: "1MiB", max_body_bytes: "2MiB" } },
  { limits: { chunk_bytes: CHUNK } },
  { limits: { chunk_bytes: "65KiB" } },
  { limits: { inflate_ratio: 9 } },
  { limits: { max_ratio: 100 } },
  { limits: { capability_bytes: 2 ** 20 } },
  { caps: { frameBytes: FRAME } },
  { CAPS: { frameBytes: FRAME } },
  { inflate_ratio: 9 },
  { guard: false },
  JSON.parse('{"__proto__":{"limits":{"max_frame_bytes":2097152}}}'),
  JSON.parse('{"limits":{"__proto__":{"max_frame_bytes":2097152}}}'),
  JSON.parse('{"constructor":{"prototype":{"frameBytes":2097152}}}'),
];

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe("I-G1: rogue-operator drill", () => {
  it("a reload of a running server: each of the documents is refused, kept out and recorded", async () => {
    const events: AuditEvent[] = [];
    const transport = new Transport({}, { onAudit: (event) => void events.push(event) });
    const before = transport.config;
    for (const document of RAISED) {
      const outcome = transport.reload(document as never);
      assert.equal(outcome.result, "rejected", String(document));
      assert.ok((outcome.issues?.length ?? 0) >= 1);
      assert.equal(transport.config, before);
    }
    await turn();
    assert.equal(events.length, RAISED.length);
    assert.equal(transport.counters().reloads.rejected, RAISED.length);
    for (const event of events) {
      assert.deepEqual(event, { event: "TransportConfigReloaded", result: "rejected", version: 1 });
    }
    await transport.close();
  });

  it("a start with any of them: refused", () => {
    for (const document of RAISED) {
      assert.throws(() => new Transport(document as never), ConfigError);
    }
  });

  it("file, environment and flags: refused, with exit code 3 from config check", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ron-drill-"));
    const file = join(directory, "ron.toml");
    for (
      const line of ["max_frame_bytes = 1048577", 'chunk_bytes = "65537B"', "inflate_ratio = 9"]
    ) {
      await writeFile(file, `[limits]\n${line}\n`);
      await assert.rejects(loadConfig({ file, env: {} }), ConfigError);
      assert.equal((await run("config", "check", file)).code, 3);
    }
    const attempts = [
      { env: { RON_TRANSPORT_MAX_FRAME_BYTES: "1048577" } },
      { env: { RON_TRANSPORT_CHUNK_BYTES: "65537" } },
      { env: { RON_TRANSPORT_INFLATE_RATIO: "9" } },
      { env: { RON_TRANSPORT_CAPS_FRAME_BYTES: "1048577" } },
      { env: {}, flags: { "transport.max-frame": "1048577" } },
      { env: {}, flags: { "transport.chunk": "65537" } },
      { env: {}, flags: { "transport.inflate-ratio": "9" } },
    ];
    for (const sources of attempts) await assert.rejects(loadConfig(sources), ConfigError);
    await rm(directory, { recursive: true });
  });

  it("the snapshot, the ceilings and what a reload returned cannot be changed in place", async () => {
    const transport = new Transport();
    const { config } = transport;
    const outcome = transport.reload({ max_conns: 7 });
    const writes: (() => void)[] = [
      () => Object.assign(config.limits, { max_frame_bytes: FRAME }),
      () => Object.assign(transport.config, { max_conns: 2 ** 40 }),
      () => Object.assign(CAPS, { frameBytes: FRAME }),
      () => Object.assign(outcome, { version: 99 }),
      () => Object.defineProperty(config.limits, "max_frame_bytes", { value: FRAME }),
      () => void Object.setPrototypeOf(config.limits, { max_frame_bytes: FRAME }),
    ];
    for (const write of writes) assert.throws(write, TypeError);
    // A document that is changed after it was offered changes nothing.
    const document = { limits: { max_frame_bytes: "64KiB" }, tls_client: { alpn: ["a"] } };
    transport.reload(document);
    document.limits.max_frame_bytes = "1MiB";
    document.tls_client.alpn.push("b");
    assert.equal(transport.config.limits.max_frame_bytes, 65_536);
    assert.deepEqual(transport.config.tls_client.alpn, ["a"]);
    await transport.close();
  });

  it("arguments of the codec: refused in TypeScript, and by WebAssembly when that is passed by", () => {
    const head = { flags: FLAGS.REQ, code: 0, appProtoId: 1, tenantId: 0n, corrId: 1n };
    const attempts: (() => unknown)[] = [
      () => new Decoder({ maxFrameBytes: FRAME }),
      () => encodeFrame({ ...head, payload: new Uint8Array() }, { maxFrameBytes: FRAME }),
      () => fragment(new Uint8Array(10), head, { maxFrameBytes: FRAME }),
      () => chunk(100, CHUNK),
      () => inflate(new Uint8Array(10), { codec: "zstd", maxOutputBytes: FRAME }),
      () => inflate(new Uint8Array(10), { codec: "zstd", maxRatio: 9 }),
    ];
    for (const attempt of attempts) assert.throws(attempt, TransportError, String(attempt));
    assert.deepEqual(raiseByArgument()?.reason, "index, chunk, guard");
  });

  it("I-G7: no key, variable or flag names what must not be reached", () => {
    const forbidden = /ratio|guard|bucket|histogram|edge|reason|readiness|version|flag_?bits|caps/i;
    for (const { path, env, flag } of KEY_LIST) {
      for (const name of [path, env, flag ?? ""]) assert.doesNotMatch(name, forbidden);
    }
  });
});
