/** Every row of the configuration's test matrix, by its name. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "../harness.ts";
import { ConfigError, type ConfigIssue, Transport, type TransportConfig } from "../../mod.ts";
import { type ConfigSources, diffConfigs, loadConfig } from "../../src/config/mod.ts";
import { KEY_LIST } from "../../src/config/keys.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/units.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { random } from "../../src/testing/random.ts";

async function refused(sources: ConfigSources): Promise<readonly ConfigIssue[]> {
  try {
    await loadConfig({ env: {}, ...sources });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.issues;
  }
  assert.fail("it was accepted");
}

const paths = (issues: readonly ConfigIssue[]): string[] => issues.map(({ path }) => path);

describe("configuration matrix", () => {
  let directory = "";
  let pair = { cert: "", key: "" };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-matrix-"));
    pair = await throwAwayCertificate();
    await put("cert.pem", pair.cert);
    await put("key.pem", pair.key);
  });
  after(() => rm(directory, { recursive: true }));

  const put = async (name: string, text: string, mode = 0o600): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, text);
    await chmod(file, mode);
    return file;
  };
  const at = (name: string): string => join(directory, name);
  const file = (text: string): Promise<string> => put("ron.toml", text);
  const tls = (cert: string, key: string): Promise<string> => {
    const named = `cert_path = ${JSON.stringify(cert)}\nkey_path = ${JSON.stringify(key)}`;
    return file(`backend = "tls"\n[tls]\nenabled = true\n${named}\n`);
  };

  it("missing file: the defaults, with a warning; a fault where it must exist", async () => {
    const gone = at("gone.toml");
    const { config, warnings } = await loadConfig({ file: gone, env: {} });
    assert.deepEqual(config, parseConfig());
    assert.match(warnings.join(), /gone\.toml is not there/);
    const [issue] = await refused({ file: gone, mustExist: true });
    assert.equal(issue?.source, gone);
    assert.match(issue.rule, /must be there/);
  });

  it("a folder, or a file that is too large: refused before it is read", async () => {
    const [folder] = await refused({ file: directory });
    assert.match(folder!.rule, /must be a regular file/);
    const [large] = await refused({ file: await file(`#${"x".repeat(1_048_576)}`) });
    assert.match(large!.rule, /at most 1MiB/);
  });

  it("bad backend", async () => {
    const issues = await refused({ file: await file('backend = "udp"') });
    assert.deepEqual(paths(issues), ["backend"]);
    const arti = await refused({ file: await file('backend = "arti"') });
    assert.deepEqual(paths(arti), ["arti.state_path"], "Tor keeps its state where it is told to");
    const forgetful = await file('backend = "arti"\n[amnesia]\nenabled = true');
    const { document } = await loadConfig({ file: forgetful, env: {} });
    assert.throws(() => new Transport(document), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(paths(error.issues), ["backend"], "arti needs its own entry");
      return true;
    });
  });

  it("TLS without cert or key: missing, unreadable, empty, unparsable, of another pair", async () => {
    assert.deepEqual(paths(await refused({ file: await tls("", "") })), [
      "tls.cert_path",
      "tls.key_path",
    ]);
    const [cert, key] = [at("cert.pem"), at("key.pem")];
    assert.deepEqual(paths(await refused({ file: await tls(cert, "") })), ["tls.key_path"]);
    const gone = await refused({ file: await tls(at("none.pem"), key) });
    assert.deepEqual(paths(gone), ["tls.cert_path"]);
    assert.match(gone[0]!.source!, /ron\.toml:4:1$/);
    const empty = await put("empty.pem", "");
    assert.deepEqual(paths(await refused({ file: await tls(empty, empty) })), [
      "tls.cert_path",
      "tls.key_path",
    ]);
    const text = await put("text.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    assert.deepEqual(paths(await refused({ file: await tls(text, key) })), ["tls.cert_path"]);
    assert.deepEqual(paths(await refused({ file: await tls(cert, text) })), ["tls.key_path"]);
    const other = await put("other.pem", (await throwAwayCertificate()).key);
    const swapped = await refused({ file: await tls(cert, other) });
    assert.match(swapped[0]!.rule, /the key of the certificate/);
    const { hooks, config } = await loadConfig({ file: await tls(cert, key), env: {} });
    const material = await hooks.material(config);
    assert.equal(new TextDecoder().decode(material.key as Uint8Array), pair.key);
  });

  it("loose key mode: any group or world bit; neither path nor content is told", async () => {
    const [cert, key] = [at("cert.pem"), at("key.pem")];
    for (const mode of [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o602, 0o620, 0o777]) {
      await chmod(key, mode);
      const issues = await refused({ file: await tls(cert, key) });
      assert.deepEqual(paths(issues), ["tls.key_path"], mode.toString(8));
      const told = JSON.stringify(issues.map(({ source: _, ...rest }) => rest));
      assert.match(told, new RegExp(`mode 0${mode.toString(8)}`));
      assert.ok(!told.includes(key) && !told.includes("PRIVATE KEY-----\\n"), told);
    }
    for (const mode of [0o600, 0o400]) {
      await chmod(key, mode);
      await loadConfig({ file: await tls(cert, key), env: {} });
    }
  });

  it("I-G1: frame above 1 MiB, chunk above 64 KiB, chunk above frame: errors, nothing is clamped", async () => {
    const one = async (text: string): Promise<string[]> => {
      return paths(await refused({ file: await file(`[limits]\n${text}`) }));
    };
    assert.deepEqual(await one("max_frame_bytes = 1048577"), ["limits.max_frame_bytes"]);
    assert.deepEqual(await one('max_frame_bytes = "1MiB"\nchunk_bytes = 65537'), [
      "limits.chunk_bytes",
    ]);
    const both = { limits: { max_frame_bytes: 65_536, chunk_bytes: 65_536 } };
    assert.equal(parseConfig(both).limits.chunk_bytes, 65_536);
    assert.deepEqual(await one('max_frame_bytes = "63KiB"'), ["limits.max_frame_bytes"]);
  });

  it("I-G9, I-10: hybrid on a runtime without it: refused, never ignored", () => {
    try {
      const document = { pq: { mode: "hybrid" } } as unknown as TransportConfig;
      const { config } = new Transport(document);
      const mode = (config as unknown as { pq: { mode: string } }).pq.mode;
      assert.equal(mode, "hybrid", "taken only where it is obeyed");
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.match(paths(error.issues).join(), /^pq/);
    }
  });

  it("public bind with max_conns 0", async () => {
    const issues = await refused({ file: await file('bind_addr = "0.0.0.0:7"\nmax_conns = 0') });
    assert.deepEqual(paths(issues), ["max_conns"]);
  });

  it("a Unix socket and a bind address, both set by a source", async () => {
    const text = `bind_addr = "127.0.0.1:7"\n[uds]\npath = "${at("x.sock")}"`;
    assert.match(paths(await refused({ file: await file(text) })).join(), /uds|bind_addr/);
  });

  it("the directory of a Unix socket: missing, or open to others", async () => {
    const folder = at("sockets");
    const text = `[uds]\npath = "${join(folder, "x.sock")}"`;
    const [missing] = await refused({ file: await file(text) });
    assert.equal(missing?.path, "uds.path");
    assert.match(missing.got, /does not exist/);
    await mkdir(folder, { mode: 0o755 });
    const [open] = await refused({ file: await file(text) });
    assert.match(open!.got, /must have 0700/);
    await chmod(folder, 0o700);
    assert.equal(
      (await loadConfig({ file: await file(text), env: {} })).config.uds.path.length > 0,
      true,
    );
  });

  it("negative, fractional and overflowing rates and limits", async () => {
    const keys = KEY_LIST.filter(({ path }) => /^(rates|per_peer)\./.test(path));
    assert.ok(keys.length >= 7);
    for (const { path } of keys) {
      const name = path.split(".")[1] ?? "";
      for (
        const value of ["-1", "1.5", "1e999", "nan", "9007199254740992", "99999999999999999999"]
      ) {
        const text = `[${path.split(".")[0]}]\n${name} = ${value}`;
        assert.deepEqual(paths(await refused({ file: await file(text) })), [path], text);
      }
    }
  });

  it("arti keys on tcp change nothing, and are still checked", async () => {
    const text = '[arti]\nbootstrap_timeout = "1s"';
    const { config } = await loadConfig({ file: await file(text), env: {} });
    assert.equal(config.backend, "tcp");
    assert.equal(config.arti.bootstrap_timeout, 1_000);
    const wrong = await refused({ file: await file('[arti]\nbootstrap_timeout = "0s"') });
    assert.deepEqual(paths(wrong), ["arti.bootstrap_timeout"]);
  });

  it("hot and rebind keys: each key has its class, and a difference tells it", () => {
    const rebind = KEY_LIST.filter(({ reload }) => reload === "rebind").map(({ path }) => path);
    for (const path of ["backend", "bind_addr", "tls.enabled"]) {
      assert.ok(rebind.includes(path as never));
    }
    const hot = ["max_conns", "read_timeout", "limits.max_frame_bytes", "per_peer.max_conns"];
    for (const path of hot) assert.ok(!rebind.includes(path as never));
    const changes = diffConfigs(
      parseConfig({ max_conns: 10, idle_timeout: "30s" }),
      parseConfig({ max_conns: 20, idle_timeout: "10s", bind_addr: "none" }),
    );
    assert.deepEqual(changes.map(({ path, reload, widened }) => [path, reload, widened]), [
      ["bind_addr", "rebind", false],
      ["max_conns", "hot", true],
      ["idle_timeout", "hot", false],
    ]);
    assert.deepEqual(changes.map(({ from, to }) => [from, to]), [
      ["127.0.0.1:0", "none"],
      [10, 20],
      ["30s", "10s"],
    ]);
  });

  it("no limit counts as wider than any limit", () => {
    const widened = (from: number, to: number): boolean | undefined => {
      const of = (max_conns: number) => parseConfig({ per_peer: { max_conns } });
      return diffConfigs(of(from), of(to))[0]?.widened;
    };
    assert.equal(widened(5, 0), true);
    assert.equal(widened(0, 5), false);
    assert.equal(widened(5, 6), true);
    assert.equal(widened(6, 5), false);
  });

  it("paths of keys stay out of differences", () => {
    const of = (name: string) => {
      return parseConfig({
        backend: "tls",
        tls: { enabled: true, cert_path: "c", key_path: `/secret/${name}` },
      });
    };
    const [change] = diffConfigs(of("a"), of("b"));
    assert.deepEqual([change?.path, change?.from, change?.to], [
      "tls.key_path",
      "(hidden)",
      "(hidden)",
    ]);
  });

  it("malformed TOML and JSON: one fault, with line and column", async () => {
    for (const text of ["max_conns = ", "[limits", "= 5", "max_conns 5", "a = 'x\n", "\u0001"]) {
      const [issue, ...more] = await refused({ file: await file(text) });
      assert.match(issue!.source!, /ron\.toml:\d+:\d+$/, text);
      assert.match(issue!.rule, /must be TOML/);
      assert.deepEqual(more, []);
    }
    for (const text of ["", "{", '{"a" 1}', "{'a':1}", '{"a":01}', '{"a":"\n"}', "{}x", "[1,]"]) {
      const [issue] = await refused({ file: await put("ron.json", text) });
      assert.match(issue!.source!, /ron\.json:\d+:\d+$/, text);
      assert.match(issue!.rule, /must be JSON|must be one JSON value/);
    }
  });

  it("units: reading what is written gives the same, for 10 000 values", () => {
    const draw = random(7);
    for (let i = 0; i < 10_000; i++) {
      const value = Math.floor(draw() * 2 ** Math.floor(draw() * 43));
      assert.equal(parseDuration(formatDuration(value)), value);
      assert.equal(parseSize(formatSize(value)), value);
      // And writing what was read, for canonical texts.
      const text = formatSize(value);
      assert.equal(formatSize(parseSize(text)!), text);
    }
  });

  it("prototype-polluted input: inherited keys do not count, own ones with odd names are refused", () => {
    const inherited = Object.create({ max_conns: 0, limits: { max_frame_bytes: "2MiB" } });
    assert.deepEqual(parseConfig(inherited), parseConfig());
    const limits = Object.create({ chunk_bytes: "1B" });
    assert.equal(parseConfig({ limits }).limits.chunk_bytes, 65_536);
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const own = JSON.parse(`{"${name}":{"max_conns":1},"limits":{"${name}":1}}`);
      assert.throws(() => parseConfig(own), (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(paths(error.issues).sort(), [name, `limits.${name}`].sort());
        return true;
      });
    }
    const thrower = Object.defineProperty({}, "max_conns", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    assert.throws(() => parseConfig(thrower), ConfigError);
  });

  it("a file key that nothing reads is refused, not ignored", () => {
    const document: TransportConfig = {
      backend: "tls",
      tls: { enabled: true, cert_path: "c.pem", key_path: "k.pem" },
    };
    assert.throws(() => new Transport(document), /loadConfig\(\)/);
    assert.ok(new Transport(document, { material: () => ({ cert: "", key: "" }) }));
  });
});
