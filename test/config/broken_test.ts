/** Broken files as people write them: every fault of each is told at once, with its place. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it, ROOT } from "../harness.ts";
import { run } from "../cli/terminal.ts";

const FOLDER = join(ROOT, "test/config/broken");

/** What `config check` must tell of each: line and column, key, and part of what to write instead. */
const EXPECTED: Readonly<Record<string, readonly (readonly [string, string, RegExp])[]>> = {
  "limits_raised.toml": [
    ["3:1", "limits.max_frame_bytes", /built in.*got "2MiB"; write for example "1MiB"/],
    ["4:1", "limits.chunk_bytes", /built in.*got "128KiB"; write for example "64KiB"/],
  ],
  "misspelt.toml": [
    ["1:1", "read_timout", /did you mean read_timeout\?/],
    ["3:1", "limit", /did you mean limits\?|remove it/],
    ["7:1", "tls_client.anlp", /did you mean tls_client\.alpn\?/],
  ],
  "no_units.toml": [
    ["1:1", "read_timeout", /written like 250ms, 5s or 2m, got 5; write for example "5s"/],
    ["2:1", "write_timeout", /written like .*got "5"/],
    ["3:1", "idle_timeout", /of at least 1s.*got "1\.5m"/],
    ["4:1", "handshake_timeout", /above 0.*got "-5s"/],
  ],
  "no_limits.toml": [
    ["2:1", "max_conns", /must be at least 1, got 0/],
    ["3:1", "idle_timeout", /at least 1s.*got "0s"/],
  ],
  "tls_half.toml": [["5:1", "tls.key_path", /must be given with tls\.cert_path/]],
  "backend_unknown.toml": [
    ["1:1", "backend", /must be tcp, tls or arti, got "quic"/],
    ["2:1", "bind_addr", /must be ip:port.*got "localhost:7000"/],
  ],
  "chunk_above_frame.toml": [
    ["1:1", "limits.chunk_bytes", /4KiB to 64KiB.*got "65537B"/],
    ["4:1", "rates.accepts_per_sec", /must be at least 0, got -1/],
    ["5:1", "rates.per_conn_bytes_per_sec", /below 2\^53.*got 99999999999999999999/],
  ],
  "cut_off.toml": [["4:23", "configuration", /must be TOML.*correct the text there/]],
  "twice.json": [
    ["3:38", "limits.chunk_bytes", /must be given once/],
    ["4:3", "max_conns", /must be given once/],
  ],
  "trailing_comma.json": [["5:1", "configuration", /must be JSON: a key in double quotes/]],
};

describe("config check on broken files", () => {
  it("there are ten, each with its faults written down", () => {
    assert.equal(readdirSync(FOLDER).length, 10);
    assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(EXPECTED).sort());
  });

  for (const [name, faults] of Object.entries(EXPECTED)) {
    it(`${name}: ${faults.length} at once, exit code 3`, async () => {
      const file = join(FOLDER, name);
      const { code, out, err } = await run("config", "check", file);
      const lines = out.trimEnd().split("\n");
      assert.equal(code, 3);
      assert.equal(err, "");
      assert.equal(lines.length, faults.length + 1, out);
      for (const [place, key, says] of faults) {
        const start = `${file}:${place}: ${key} `;
        const found = lines.find((line) => line.startsWith(start));
        assert.ok(found !== undefined, `${start}\n${out}`);
        assert.match(found, says);
      }
      const json = await run("config", "check", file, "--json");
      const { valid, issues } = JSON.parse(json.out) as { valid: boolean; issues: unknown[] };
      assert.equal(json.code, 3);
      assert.equal(valid, false);
      assert.equal(issues.length, faults.length);
    });
  }

  it("the sample has none, exit code 0", async () => {
    const { code, out } = await run(
      "config",
      "check",
      join(ROOT, "docs/schema/ron-transport.toml"),
    );
    assert.equal(code, 0, out);
    assert.match(out, /: valid\n$/);
  });
});
