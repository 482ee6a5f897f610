/** I-G1, I-G8: configuration can lower a ceiling, never raise it, and nothing is clamped. */
import assert from "node:assert/strict";
import { CAPS, ConfigError, Transport, type TransportConfig } from "../../../mod.ts";
import { documentSchema, parseConfig } from "../../../src/config/schema.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/config/units.ts";
import { describe, it } from "../../harness.ts";

/** The paths of all faults of a configuration. */
function faults(input: unknown): string[] {
  try {
    parseConfig(input as TransportConfig);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.kind, "config_invalid");
    for (const { path } of error.issues) assert.ok(error.message.includes(path));
    return error.issues.map(({ path }) => path).sort();
  }
}

describe("units", () => {
  it("parses whole numbers with a unit, and nothing else", () => {
    for (
      const [text, ms] of [["0ms", 0], ["250ms", 250], ["5s", 5_000], ["2m", 120_000], [
        "1h",
        3_600_000,
      ]] as const
    ) assert.equal(parseDuration(text), ms);
    for (
      const text of ["", "5", "-5s", "5 s", " 5s", "1.5s", "1e3ms", "05s", "5S", "1d", "5s5s", "s"]
    ) {
      assert.equal(parseDuration(text), undefined, text);
    }
    for (
      const [text, bytes] of [["0", 0], ["4096", 4_096], ["1B", 1], ["64KiB", 65_536], [
        "1MiB",
        1_048_576,
      ]] as const
    ) assert.equal(parseSize(text), bytes);
    for (const text of ["", "-1", "1.5KiB", "1KB", "1kib", "1 MiB", "01", "1e3"]) {
      assert.equal(parseSize(text), undefined, text);
    }
    for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
      assert.equal(parseSize(value), undefined, String(value));
    }
    assert.equal(parseSize(`${2 ** 40}MiB`), undefined, "not exact any more");
  });

  it("reads back what it writes", () => {
    for (const ms of [0, 1, 999, 1_000, 60_000, 61_000, 3_600_000, 86_400_000]) {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }
    for (const bytes of [0, 1, 1_023, 1_024, 65_536, 1_048_576, 1_048_577]) {
      assert.equal(parseSize(formatSize(bytes)), bytes);
    }
  });
});

describe("configuration", () => {
  it("fills in the defaults, frozen all through", () => {
    const config = new Transport().config;
    assert.equal(config.limits.max_frame_bytes, CAPS.frameBytes);
    assert.equal(config.limits.chunk_bytes, CAPS.chunkBytes);
    assert.equal(config.max_conns, 1_024);
    assert.equal(config.idle_timeout, 60_000);
    assert.equal(config.read_timeout, 5_000);
    assert.equal(config.bind_addr, "127.0.0.1:0");
    for (const part of [config, config.limits, config.tls, config.tls_client.alpn]) {
      assert.ok(Object.isFrozen(part));
    }
    assert.throws(() => {
      (config.limits as { max_frame_bytes: number }).max_frame_bytes = 2 ** 21;
    }, TypeError);
  });

  it("I-G1: takes the bounds themselves, and refuses one beyond", () => {
    assert.deepEqual(faults({ limits: { max_frame_bytes: "1MiB", chunk_bytes: "64KiB" } }), []);
    assert.deepEqual(faults({ limits: { max_frame_bytes: 65_536, chunk_bytes: 4_096 } }), []);
    for (const max_frame_bytes of [1_048_577, "2MiB", 65_535, "0", -1, 1e300, "1GiB"]) {
      assert.deepEqual(faults({ limits: { max_frame_bytes } }), ["limits.max_frame_bytes"]);
    }
    for (const chunk_bytes of [65_537, "128KiB", 4_095]) {
      assert.deepEqual(faults({ limits: { chunk_bytes } }), ["limits.chunk_bytes"]);
    }
  });

  it("names every fault at once, with the rule and what was given", () => {
    const input = {
      backend: "udp",
      max_conns: 0,
      read_timeout: "5",
      idle_timeout: "999ms",
      limits: { max_frame_bytes: "2MiB", depth: 3 },
      surprise: 1,
    };
    assert.deepEqual(faults(input), [
      "backend",
      "idle_timeout",
      "limits.depth",
      "limits.max_frame_bytes",
      "max_conns",
      "read_timeout",
      "surprise",
    ]);
    assert.throws(() => parseConfig(input as never), {
      message:
        /limits\.max_frame_bytes must be 64KiB to 1MiB .*configuration can only lower it.*got "2MiB"/,
    });
  });

  it("refuses a backend and tls.enabled that contradict each other", () => {
    assert.deepEqual(faults({ backend: "tls" }), ["tls.enabled"]);
    assert.deepEqual(faults({ tls: { enabled: true } }), ["tls.enabled"]);
    assert.deepEqual(faults({ backend: "tls", tls: { enabled: true } }), []);
  });

  it("looks at own properties only, and shares nothing with its input", () => {
    const polluted = Object.create({ max_conns: 5, surprise: true });
    assert.equal(parseConfig(polluted).max_conns, 1_024);
    assert.deepEqual(faults(JSON.parse('{"__proto__":{"max_conns":5}}')), ["__proto__"]);
    const input = { limits: { chunk_bytes: "8KiB" } };
    const config = parseConfig(input);
    input.limits.chunk_bytes = "64KiB";
    assert.equal(config.limits.chunk_bytes, 8_192);
  });

  it("a check of the keys that are given says what the schema of all keys says", () => {
    const documents: unknown[] = [
      { max_conns: 7 },
      { max_conns: undefined, limits: {} },
      { limits: { chunk_bytes: "8KiB" }, tls: undefined },
      { limits: 5, rates: null, uds: [] },
      { limits: { depth: { deeper: 1 } }, max_conns: "7", surprise: {} },
      { tls_client: { alpn: ["", 5] }, uds: { allow_uids: [-1, 2] }, bind_addr: "1.2.3.4:65536" },
      { bind_addr: null, rates: { accepts_per_sec: 1.5, per_conn_bytes_per_sec: "1MiB" } },
    ];
    for (const document of documents) {
      const all = documentSchema().safeParse(document);
      if (all.success) assert.deepEqual(parseConfig(document as TransportConfig), all.data);
      else {
        const paths = all.error.issues.flatMap((issue) =>
          issue.code === "unrecognized_keys"
            ? issue.keys.map((key) => [...issue.path, key].join("."))
            : issue.path.join(".")
        );
        assert.deepEqual([...new Set(faults(document))], [...new Set(paths)].sort());
      }
    }
  });

  it("gives one typed error for anything that is not a table", () => {
    for (const input of [null, 5, "x", [], true, () => {}]) {
      assert.deepEqual(faults(input), [""], String(input));
    }
  });

  it("shortens what was given", () => {
    assert.throws(() => parseConfig({ read_timeout: "x".repeat(100_000) }), (error: Error) => {
      assert.ok(error.message.length < 300);
      return true;
    });
  });
});
