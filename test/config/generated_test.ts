/**
 * 10 000 generated documents, valid, near valid and hostile, through file, environment and flags: a
 * configuration within its bounds or one typed error, never anything else.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "../harness.ts";
import { CAPS, ConfigError } from "../../mod.ts";
import { type ConfigSources, loadConfig } from "../../src/config/mod.ts";
import { readDocument } from "../../src/config/document.ts";
import { ENV_PREFIX, FLAG_PREFIX } from "../../src/config/key.ts";
import { KEY_LIST } from "../../src/config/keys.ts";
import { toml } from "../../src/config/sample.ts";
import { random } from "../../src/testing/random.ts";

const DOCUMENTS = 10_000;
const SEED = 20_261_125;
const MIB = 1_048_576;

type Draw = () => number;
const pick = <T>(draw: Draw, from: readonly T[]): T => from[Math.floor(draw() * from.length)]!;

const VALUES: readonly unknown[] = [
  "5s",
  "250ms",
  "1h",
  "0s",
  "64KiB",
  "1MiB",
  "1048577",
  1_048_576,
  1_048_577,
  65_536,
  65_537,
  0,
  1,
  -1,
  1.5,
  1e21,
  4_294_967_295,
  4_294_967_296,
  9_007_199_254_740_991,
  true,
  false,
  "true",
  "",
  "none",
  "127.0.0.1:0",
  "[::1]:7000",
  "127.0.0.1:65536",
  "tcp",
  "tls",
  "TLS",
  ["oap/1"],
  [],
  [1],
  [[]],
  ["a,b", ""],
  {},
  { a: 1 },
  "\u0000",
  "\ufeff5s",
  "５s",
  "5s\n",
  "x".repeat(300),
  "__proto__",
]; // deno-fmt-ignore-line

const NAMES: readonly string[] = [
  ...KEY_LIST.map(({ path }) => path), "surprise", "__proto__", "constructor", "toString",
  "limits", "limits.depth", "limits.max_body_bytes", "max_conn", "MAX_CONNS", "", "a.b.c.d",
]; // deno-fmt-ignore-line

/** A plain document of a few keys, which also tells whether it was built of odd parts. */
function someDocument(draw: Draw): Map<string, unknown> {
  const keys = new Map<string, unknown>();
  const n = Math.floor(draw() * 5);
  for (let i = 0; i <= n; i++) {
    const key = pick(draw, KEY_LIST);
    if (draw() < 0.6) keys.set(key.path, key.type.example);
    else keys.set(pick(draw, NAMES), pick(draw, VALUES));
  }
  return keys;
}

function asToml(keys: ReadonlyMap<string, unknown>): string {
  return [...keys].map(([path, value]) => {
    const name = path.split(".").map((part) => JSON.stringify(part)).join(".");
    return `${name} = ${inline(value)}`;
  }).join("\n");
}

function inline(value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return `{ ${Object.entries(value).map(([k, v]) => `${k} = ${inline(v)}`).join(", ")} }`;
  }
  return toml(value);
}

function asJson(keys: ReadonlyMap<string, unknown>): string {
  const members = [...keys].map(([path, value]) => {
    const [head, ...rest] = path.split(".");
    const inner = rest.reduceRight<unknown>((at, name) => ({ [name]: at }), value);
    return `${JSON.stringify(head)}: ${JSON.stringify(inner)}`;
  });
  return `{ ${members.join(", ")} }`;
}

/** One character changed, added or taken away; or the end cut off. */
function damaged(draw: Draw, text: string): string {
  const at = Math.floor(draw() * (text.length + 1));
  const odd = pick(draw, [
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    "#",
    "\\",
    "\n",
    "\u0000",
    "0",
    ",",
  ]);
  switch (Math.floor(draw() * 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + odd + text.slice(at);
    case 2:
      return text.slice(0, at) + odd + text.slice(at + 1);
    default:
      return text.slice(0, at) + text.slice(at + 1);
  }
}

/** Files that nobody writes by accident. */
const HOSTILE: readonly (readonly [name: string, text: () => string | Uint8Array])[] = [
  ["a.toml", () => `a = ${"[".repeat(10_000)}${"]".repeat(10_000)}`],
  ["a.json", () => "[".repeat(10_000) + "]".repeat(10_000)],
  ["a.json", () => '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000)],
  ["a.toml", () => `a${".a".repeat(10_000)} = 1`],
  ["a.toml", () => "a = " + "{a=".repeat(10_000)],
  ["a.toml", () => `read_timeout = "${"x".repeat(MIB - 100)}"`],
  ["a.json", () => `{"read_timeout":"${"\\u0041".repeat(170_000)}"}`],
  ["a.json", () => `{"read_timeout":"${"x".repeat(MIB - 100)}`],
  ["a.toml", () => `read_timeout = '''${"'' ".repeat(300_000)}'''`],
  ["a.toml", () => `x = "${"y".repeat(MIB)}"`], // one that is too large
  ["a.toml", () => `${"k".repeat(500_000)} = 1`],
  ["a.toml", () => Array.from({ length: 40_000 }, (_, i) => `k${i} = ${i}`).join("\n")],
  ["a.json", () => `{${Array.from({ length: 40_000 }, () => '"a":1').join(",")}}`],
  ["a.toml", () => `tls_client.alpn = [${'"a",'.repeat(200_000)}]`],
  ["a.json", () => `{"tls_client":{"alpn":[${Array(200_000).fill(1).join(",")}]}}`],
  ["a.toml", () => "max_conns = 1e999"],
  ["a.json", () => '{"max_conns":1e999}'],
  ["a.json", () => '{"__proto__":{"max_conns":1},"constructor":{"prototype":{"x":1}}}'],
  ["a.toml", () => "[__proto__.polluted]\nx = 1"],
  ["a.toml", () => "max_conns = 1\nmax_conns = 2"],
  ["a.json", () => '{"max_conns":1,"max_conns":2}'],
  ["a.toml", () => "\ufeffmax_conns = 0"],
  ["a.json", () => '\ufeff{"max_conns":0}'],
  ["a.toml", () => "bind_addr = '\u0000'"],
  ["a.json", () => '{"bind_addr":"\\u0000127.0.0.1:0"}'],
  ["a.toml", () => Uint8Array.of(0x61, 0x3d, 0x22, 0xff, 0xfe, 0x22)],
  ["a.json", () => Uint8Array.of(0x7b, 0xc0, 0x80, 0x7d)],
  ["a.toml", () => "read_timeout = 1979-05-27T07:32:00Z"],
  ["a.toml", () => "max_conns = nan\nread_timeout = inf"],
  ["a.json", () => "null"],
  ["a.json", () => "[]"],
  ["a.json", () => ""],
];

/** What every outcome must be. Returns whether it was accepted. */
async function outcome(sources: ConfigSources, note: string): Promise<boolean> {
  try {
    const { config } = await loadConfig({ env: {}, ownMaterial: true, ...sources });
    assert.ok(config.limits.max_frame_bytes <= CAPS.frameBytes, note);
    assert.ok(config.limits.chunk_bytes <= CAPS.chunkBytes, note);
    assert.ok(config.limits.chunk_bytes <= config.limits.max_frame_bytes, note);
    assert.ok(Number.isSafeInteger(config.max_conns) && config.max_conns >= 1, note);
    assert.ok(config.idle_timeout >= 1_000 && config.read_timeout > 0, note);
    return true;
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${note}: ${String(error)}`);
    assert.equal(error.kind, "config_invalid");
    assert.ok(error.issues.length >= 1 && error.issues.length <= 200, note);
    assert.ok(error.message.length < 20_000, `${note}: a message of ${error.message.length}`);
    for (const { path, rule, got, source } of error.issues) {
      assert.ok(path.length <= 200 && rule.length > 0 && rule.length <= 250, `${note}: ${rule}`);
      assert.ok(got.length <= 300, `${note}: ${got}`);
      assert.ok(source !== undefined && source.length > 0, `${note}: ${path} ${rule}`);
    }
    return false;
  }
}

describe("generated configurations", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-generated-"));
  });
  after(() => rm(directory, { recursive: true }));

  it(`${DOCUMENTS} of them: a valid configuration or one typed error`, {
    timeout: 240_000,
  }, async () => {
    const draw = random(SEED);
    const counts = { file: 0, env: 0, flags: 0, accepted: 0, refused: 0 };
    for (let i = 0; i < DOCUMENTS; i++) {
      const keys = someDocument(draw);
      const sources: ConfigSources = {};
      const route = draw();
      if (route < 0.5) {
        counts.file++;
        const json = draw() < 0.5;
        const text = json ? asJson(keys) : asToml(keys);
        sources.file = join(directory, `doc${i % 16}.${json ? "json" : "toml"}`);
        await writeFile(sources.file, draw() < 0.5 ? text : damaged(draw, text));
      } else if (route < 0.75) {
        counts.env++;
        const env: Record<string, string> = { PATH: "/bin" };
        for (const [path, value] of keys) env[nameOf(draw, path, "env")] = textOf(draw, value);
        sources.env = env;
      } else {
        counts.flags++;
        const flags: Record<string, string | true> = {};
        for (const [path, value] of keys) flags[nameOf(draw, path, "flag")] = textOf(draw, value);
        sources.flags = flags;
      }
      const accepted = await outcome(sources, `document ${i} of seed ${SEED}`);
      if (accepted) counts.accepted++;
      else counts.refused++;
    }
    // The generator must reach both sides, or it shows nothing.
    assert.ok(counts.accepted > DOCUMENTS / 10, JSON.stringify(counts));
    assert.ok(counts.refused > DOCUMENTS / 3, JSON.stringify(counts));
    assert.equal(counts.file + counts.env + counts.flags, DOCUMENTS);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  it("hostile files are refused, each with its place", { timeout: 120_000 }, async () => {
    for (const [i, [name, text]] of HOSTILE.entries()) {
      const file = join(directory, `hostile${i}-${name}`);
      await writeFile(file, text());
      const accepted = await outcome({ file }, `hostile ${i}`);
      assert.equal(accepted, false, `hostile ${i} was accepted`);
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  it("hostile variables and flags are refused", async () => {
    const long = "x".repeat(MIB);
    for (const text of [long, "1".repeat(MIB), ",".repeat(MIB), "\u0000", "1e999", "-0", "0x10"]) {
      for (const { env, flag } of KEY_LIST) {
        if (/SNI|ALPN|PATH/.test(env)) continue; // texts of their own
        const sources = [
          { env: { [ENV_PREFIX + env]: text } },
          { flags: { [FLAG_PREFIX + flag]: text } },
        ];
        for (const source of sources) {
          const accepted = await outcome(source, `${env} = ${text.slice(0, 8)}`);
          assert.equal(accepted, false, `${env} took ${text.slice(0, 8)}`);
        }
      }
      for (const source of [{ env: { [ENV_PREFIX + long]: text } }, { flags: { [long]: text } }]) {
        assert.equal(await outcome(source, "long name"), false);
      }
    }
  });

  it("takes time in proportion to the size", { timeout: 120_000 }, () => {
    const shapes: readonly ((n: number) => [string, string])[] = [
      (n) => ["a.toml", `read_timeout = "${"x".repeat(n)}"`],
      (n) => ["a.toml", `x = ${"1 # ".repeat(n / 4)}`],
      (n) => ["a.toml", `"${"\\u0041".repeat(n / 6)}" = 1`],
      (n) => ["a.toml", `x = '''${"'' ".repeat(n / 3)}'''`],
      (n) => ["a.toml", `x = """${'\\"" '.repeat(n / 4)}"""`],
      (n) => ["a.toml", "# x\n".repeat(n / 4)],
      (n) => ["a.json", `{"x":"${"y".repeat(n)}"}`],
      (n) => ["a.json", `{"x":[${"1,".repeat(n / 2)}1]}`],
      (n) => ["a.json", `{"x":"${"\\n".repeat(n / 2)}`],
      (n) => ["a.json", " ".repeat(n)],
    ];
    for (const [i, shape] of shapes.entries()) {
      const time = (n: number): number => {
        const [file, text] = shape(n);
        const bytes = new TextEncoder().encode(text);
        let best = Infinity;
        for (let round = 0; round < 3; round++) {
          const start = performance.now();
          readDocument(file, bytes).where("x");
          best = Math.min(best, performance.now() - start);
        }
        return best;
      };
      const [small, large] = [time(60_000), time(960_000)];
      // 16 times the size. A square of it takes minutes; what is added is for a busy machine.
      assert.ok(large <= 16 * 6 * small + 2_000, `shape ${i}: ${small} ms, then ${large} ms`);
    }
  });
});

function nameOf(draw: Draw, path: string, way: "env" | "flag"): string {
  const key = KEY_LIST.find((one) => one.path === path);
  if (key === undefined || draw() < 0.05) return way === "env" ? ENV_PREFIX + path : path;
  if (way === "env") return ENV_PREFIX + key.env;
  return key.flag === undefined ? path : FLAG_PREFIX + key.flag;
}

function textOf(draw: Draw, value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return draw() < 0.2 ? damaged(draw, text) : text;
}
