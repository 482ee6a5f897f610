/** Four sources, one order, the place of every value, and every name for exactly one key. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "../harness.ts";
import { ConfigError, type ConfigIssue } from "../../mod.ts";
import { type ConfigSources, loadConfig } from "../../src/config/mod.ts";
import { ENV_PREFIX, FLAG_PREFIX } from "../../src/config/key.ts";
import { KEY_LIST } from "../../src/config/keys.ts";
import { valueAt } from "../../src/config/own.ts";
import { sampleToml, toml } from "../../src/config/sample.ts";
import { parseConfig } from "../../src/config/schema.ts";

async function faults(sources: ConfigSources): Promise<readonly ConfigIssue[]> {
  try {
    await loadConfig({ env: {}, ...sources });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.kind, "config_invalid");
    return error.issues;
  }
}

/** Two legal values of each key, as documents write them, apart from what needs other keys too. */
function legalValues(path: string): [unknown, unknown] | undefined {
  const known: Readonly<Record<string, [unknown, unknown]>> = {
    bind_addr: ["127.0.0.1:7001", "none"],
    "tls_client.alpn": [["a", "b"], ["c"]],
    "tls_client.sni_override": ["one.example", "two.example"],
  };
  const { type } = KEY_LIST.find((key) => key.path === path)!;
  if (Object.hasOwn(known, path)) return known[path];
  switch (type.name) {
    case "duration":
      return ["7s", "9s"];
    case "size":
      return path.endsWith("chunk_bytes") ? ["8KiB", "16KiB"] : ["128KiB", "256KiB"];
    case "bytes per second":
      return ["1KiB", "2KiB"];
    case "count":
    case "count per second":
      return [11, 12];
    default:
      return undefined;
  }
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

describe("loadConfig", () => {
  let directory = "";
  let file = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-config-"));
    file = join(directory, "ron.toml");
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("of no source is the defaults, frozen all through", async () => {
    const { config, document, sources, warnings } = await loadConfig({ env: {} });
    assert.deepEqual(config, parseConfig());
    assert.deepEqual(document, {});
    assert.deepEqual(new Set(Object.values(sources)), new Set(["default"]));
    assert.deepEqual(warnings, []);
    for (const part of [config, config.limits, config.tls_client.alpn, document, sources]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  it("all 16 subsets of sources: the greatest that is there wins, and is named", async () => {
    for (let subset = 0; subset < 16; subset++) {
      const [inFlags, inEnv, inFile, present] = [1, 2, 4, 8].map((bit) => (subset & bit) !== 0);
      // The fourth source is the defaults, which are always there: the bit says whether a file is at all.
      if (present || inFile) await writeFile(file, inFile ? "max_conns = 3\n" : "# nothing\n");
      else await rm(file, { force: true });
      const { config, sources, warnings } = await loadConfig({
        file,
        env: inEnv ? { RON_TRANSPORT_MAX_CONNS: "2", PATH: "/bin" } : { PATH: "/bin" },
        flags: inFlags ? { "transport.max-conns": "1" } : {},
      });
      const [value, source] = inFlags
        ? [1, "--transport.max-conns"]
        : inEnv
        ? [2, "RON_TRANSPORT_MAX_CONNS"]
        : inFile
        ? [3, `${file}:1:1`]
        : [1_024, "default"];
      assert.equal(config.max_conns, value, `subset ${subset}`);
      assert.equal(sources["max_conns"], source);
      assert.equal(config.read_timeout, 5_000);
      assert.equal(sources["read_timeout"], "default");
      assert.equal(warnings.length, present || inFile ? 0 : 1, warnings.join());
    }
  });

  it("every key: file, variable and flag give the same value, each from its own place", async () => {
    let tried = 0;
    for (const { path, type, env, flag } of KEY_LIST) {
      const values = legalValues(path);
      if (values === undefined) continue;
      tried++;
      for (const value of values) {
        const dot = path.indexOf(".");
        const line = `${path.slice(dot + 1)} = ${toml(value)}\n`;
        await writeFile(file, dot === -1 ? line : `[${path.slice(0, dot)}]\n${line}`);
        const name = ENV_PREFIX + env;
        const loaded = [
          await loadConfig({ file, env: {} }),
          await loadConfig({ env: { [name]: textOf(value) } }),
          ...flag === undefined
            ? []
            : [await loadConfig({ env: {}, flags: { [FLAG_PREFIX + flag]: textOf(value) } })],
        ];
        const expected = valueAt(loaded[0]!.config, path);
        assert.notDeepEqual(expected, valueAt(parseConfig(), path), path);
        for (const { config } of loaded) assert.deepEqual(valueAt(config, path), expected, path);
        const places = loaded.map(({ sources }) => sources[path]);
        const ways = [`${file}:${dot === -1 ? 1 : 2}:1`, name, `--${FLAG_PREFIX}${flag}`];
        assert.deepEqual(places, ways.slice(0, loaded.length));
        // Nothing else moved.
        for (const { sources } of loaded) {
          assert.equal(Object.values(sources).filter((place) => place !== "default").length, 1);
        }
        assert.deepEqual(type.schema().parse(type.toDocument(expected)), expected);
      }
    }
    assert.ok(tried >= 18, String(tried));
  });

  it("every variable and every flag maps to exactly one key", () => {
    const envs = KEY_LIST.map(({ env }) => env);
    const flags = KEY_LIST.flatMap(({ flag }) => flag ?? []);
    assert.equal(new Set(envs).size, envs.length);
    assert.equal(new Set(flags).size, flags.length);
    for (const env of envs) assert.match(env, /^[A-Z][A-Z0-9_]*$/);
    for (const flag of flags) assert.match(flag, /^[a-z][a-z0-9-]*$/);
  });

  it("takes JSON as it takes TOML, and finds places in both", async () => {
    const json = join(directory, "ron.json");
    await writeFile(json, '{\n  "max_conns": 9,\n  "limits": { "chunk_bytes": "8KiB" }\n}');
    await writeFile(
      file,
      '# é\nmax_conns = 9\n["limits"] # here\n  # there\n  "chunk_bytes" = "8KiB"\n',
    );
    const [a, b] = [
      await loadConfig({ file: json, env: {} }),
      await loadConfig({ file, env: {} }),
    ];
    assert.deepEqual(a.config, b.config);
    assert.deepEqual(a.document, b.document);
    assert.equal(a.sources["max_conns"], `${json}:2:3`);
    assert.equal(a.sources["limits.chunk_bytes"], `${json}:3:15`);
    assert.equal(b.sources["limits.chunk_bytes"], `${file}:5:3`);
  });

  it("finds places behind strings, comments and tables that look like keys", async () => {
    await writeFile(
      file,
      [
        'tls_client = { sni_override = "a # [b] = c", alpn = ["x", # ]',
        "  'y' ] }",
        'bind_addr = """127.0.0.1:\\',
        '  7000""" # "',
        "[ rates ]",
        "accepts_per_sec = 1_000",
        "[limits]",
        "chunk_bytes = 0x2000",
      ].join("\r\n"),
    );
    const { config, sources } = await loadConfig({ file, env: {} });
    assert.equal(config.tls_client.sni_override, "a # [b] = c");
    assert.deepEqual(config.tls_client.alpn, ["x", "y"]);
    assert.equal(config.bind_addr, "127.0.0.1:7000");
    assert.equal(sources["tls_client.alpn"], `${file}:1:1`);
    assert.equal(sources["bind_addr"], `${file}:3:1`);
    assert.equal(sources["rates.accepts_per_sec"], `${file}:6:1`);
    assert.equal(sources["limits.chunk_bytes"], `${file}:8:1`);
    assert.equal(config.limits.chunk_bytes, 8_192);
  });

  it("tells the faults of all sources at once, also of values that another beats", async () => {
    await writeFile(file, "max_conns = 0\nsurprise = 1\n");
    const issues = await faults({
      file,
      env: { RON_TRANSPORT_MAX_CONN: "5", RON_TRANSPORT_READ_TIMEOUT: "5", OTHER: "x" },
      flags: { "transport.max-conns": "7", "transport.tls": "yes", "transport.chunky": "1" },
    });
    assert.deepEqual(issues.map(({ path, source }) => `${source} ${path}`), [
      `${file}:1:1 max_conns`,
      `${file}:2:1 surprise`,
      "RON_TRANSPORT_MAX_CONN RON_TRANSPORT_MAX_CONN",
      "RON_TRANSPORT_READ_TIMEOUT read_timeout",
      "--transport.tls tls.enabled",
      "--transport.chunky transport.chunky",
    ]);
    assert.match(issues[2]!.instead!, /did you mean RON_TRANSPORT_MAX_CONNS\?/);
    assert.match(issues[5]!.instead!, /did you mean transport\.chunk\?/);
  });

  it("a rule between keys of two sources is told where one of them is", async () => {
    await writeFile(file, '[limits]\nmax_frame_bytes = "64KiB"\n');
    assert.deepEqual(await faults({ file }), []);
    const issues = await faults({
      env: { RON_TRANSPORT_BACKEND: "tls" },
      flags: { "transport.chunk": "64KiB" },
      file,
    });
    assert.deepEqual(issues.map(({ path, source }) => [path, source]), [
      ["tls.enabled", "RON_TRANSPORT_BACKEND"],
    ]);
  });

  it("own properties of each source only", async () => {
    const env = Object.create({ RON_TRANSPORT_MAX_CONNS: "5", RON_TRANSPORT_NONE: "x" });
    const flags = Object.create({ "transport.max-conns": "5", "transport.none": "x" });
    const { config } = await loadConfig({ env, flags });
    assert.equal(config.max_conns, 1_024);
    const issues = await faults({ flags: JSON.parse('{"__proto__":"x"}') });
    assert.deepEqual(issues.map(({ path }) => path), ["__proto__"]);
    await writeFile(file, "[__proto__]\nmax_conns = 5\n");
    assert.deepEqual((await faults({ file })).map(({ path }) => path), ["__proto__"]);
    assert.equal(({} as { max_conns?: unknown }).max_conns, undefined);
  });

  it("an old name works, with a warning; beside the new one it is a fault", async () => {
    await writeFile(file, '[limits]\nmax_body_bytes = "512KiB"\n');
    const { config, sources, warnings, document } = await loadConfig({ file, env: {} });
    assert.equal(config.limits.max_frame_bytes, 524_288);
    assert.equal(sources["limits.max_frame_bytes"], `${file}:2:1`);
    assert.deepEqual(document, { limits: { max_frame_bytes: "512KiB" } });
    assert.match(warnings.join(), /limits\.max_body_bytes is the old name of limits\.max_frame/);
    await writeFile(file, '[limits]\nmax_body_bytes = "512KiB"\nmax_frame_bytes = "1MiB"\n');
    const [issue] = await faults({ file });
    assert.equal(issue?.path, "limits.max_body_bytes");
    assert.match(issue.rule, /which is given too/);
    await writeFile(file, '[limits]\nmax_body_bytes = "2MiB"\n');
    assert.deepEqual((await faults({ file })).map(({ path }) => path), ["limits.max_frame_bytes"]);
  });

  it("no limit for one peer is told once, as a warning", async () => {
    const { warnings } = await loadConfig({ env: { RON_TRANSPORT_PER_PEER_MAX_CONNS: "0" } });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /per_peer\.max_conns is 0/);
  });

  it("the sample has every key at its default", async () => {
    const set = sampleToml().replace(/^# (?=\w+ = )/gm, "");
    await writeFile(file, set);
    const { config, sources } = await loadConfig({ file, env: {} });
    assert.deepEqual(config, parseConfig());
    assert.equal(Object.values(sources).filter((place) => place === "default").length, 0);
    assert.equal(sampleToml().split("\n").filter((line) => /^[^#[]/.test(line)).length, 0);
  });
});
