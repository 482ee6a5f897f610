/** `config`: what it prints, and what it ends with. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEY_LIST } from "../../src/config/keys.ts";
import { run } from "../cli/terminal.ts";
import { afterEach, beforeEach, describe, it, ROOT } from "../harness.ts";

describe("cli config", () => {
  let directory = "";
  let file = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-cli-config-"));
    file = join(directory, "ron.toml");
    await writeFile(file, 'max_conns = 10\n[limits]\nmax_body_bytes = "512KiB"\n');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("show: every key with its value and its source; flags beat the file", async () => {
    const { code, out, err } = await run("config", "show", file, "--transport.max-conns", "7");
    assert.equal(code, 0);
    const lines = out.trimEnd().split("\n");
    assert.equal(lines.length, KEY_LIST.length);
    const line = (key: string): string => lines.find((text) => text.startsWith(`${key} `)) ?? "";
    assert.match(line("max_conns"), /^max_conns +7 +--transport\.max-conns$/);
    assert.match(line("limits.max_frame_bytes"), /"512KiB" +.*ron\.toml:3:1$/);
    assert.match(line("idle_timeout"), /"1m" +default$/);
    assert.match(err, /warning: limits\.max_body_bytes is the old name/);
    const json = JSON.parse((await run("config", "show", file, "--json")).out) as {
      keys: { key: string; value: unknown; source: string }[];
      warnings: string[];
    };
    const shown = json.keys.find(({ key }) => key === "max_conns");
    assert.deepEqual(shown, { key: "max_conns", value: 10, source: `${file}:1:1` });
    assert.equal(json.warnings.length, 1);
  });

  it("show keeps paths of keys to itself", async () => {
    await writeFile(file, '[tls]\ncert_path = "/c.pem"\nkey_path = "/secret/k.pem"\n');
    for (const args of [[], ["--json"]]) {
      const { code, out } = await run("config", "show", file, ...args);
      assert.equal(code, 0);
      assert.ok(out.includes("/c.pem") && out.includes("(hidden)") && !out.includes("/secret"));
    }
  });

  it("diff: the class of each change, and what a reload would come to", async () => {
    const other = join(directory, "new.toml");
    await writeFile(
      other,
      'max_conns = 20\nidle_timeout = "30s"\n[limits]\nmax_frame_bytes = "512KiB"\n',
    );
    const hot = await run("config", "diff", file, other);
    assert.equal(hot.code, 0);
    assert.match(hot.out, /^max_conns +10 -> 20 +hot +bounds less$/m);
    assert.match(hot.out, /^idle_timeout +"1m" -> "30s" +hot$/m);
    assert.match(hot.out, /a reload would be: applied\n$/);
    await writeFile(other, 'bind_addr = "127.0.0.1:7000"\n');
    const rebind = JSON.parse((await run("config", "diff", file, other, "--json")).out) as {
      result: string;
      changes: { path: string; reload: string; widened: boolean }[];
    };
    assert.equal(rebind.result, "rebind_required");
    assert.deepEqual(rebind.changes.map(({ path, reload }) => `${path} ${reload}`), [
      "bind_addr rebind",
      "max_conns hot",
      "limits.max_frame_bytes hot",
    ]);
    assert.match((await run("config", "diff", file, file)).out, /no difference/);
    await writeFile(other, "max_conns = 0");
    assert.equal((await run("config", "diff", file, other)).code, 3);
  });

  it("schema: the same as the documented one", async () => {
    const { code, out } = await run("config", "schema");
    assert.equal(code, 0);
    assert.equal(out, await readFile(join(ROOT, "docs/schema/config.schema.json"), "utf8"));
  });

  it("a wrong command line: one line, exit code 2", async () => {
    for (
      const args of [[], ["chek"], ["check"], ["check", "a", "b"], ["diff", "a"], ["schema", "x"]]
    ) {
      const { code, out, err } = await run("config", ...args);
      assert.deepEqual([code, out, err.split("\n").length], [2, "", 2], args.join(" "));
    }
  });

  it("check of a file that is not there, or is a folder: exit code 3, and why", async () => {
    const gone = await run("config", "check", join(directory, "gone.toml"));
    assert.deepEqual([gone.code, /must be there, got no such file/.test(gone.out)], [3, true]);
    const folder = await run("config", "check", directory);
    assert.deepEqual([folder.code, /must be a regular file/.test(folder.out)], [3, true]);
  });
});
