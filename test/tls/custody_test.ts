/** Secrets stay where they are: not in errors, events, warnings or facts; bytes of keys are wiped on request. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { inspect } from "node:util";
import { formatAddress, Transport, TransportError } from "../../mod.ts";
import { Decoder, encodeFrame, FLAGS, framed, inflate } from "../../src/oap/mod.ts";
import { deferred } from "../../src/deferred.ts";
import { hot } from "../../src/oap/instance.ts";
import type { ThrowAwayCertificate } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { ROOT, runtimeName } from "../runtimes.ts";
import { type Spawned, spawnRuntime } from "../spawn.ts";
import { Ends, testAuthority } from "./ends.ts";

const CANARY = "CANARY-7f3a9c";

/** The lines of a key that could leak, and the canary in all its forms. */
function secretsOf({ key }: ThrowAwayCertificate): string[] {
  return key.split("\n").filter((line) => line.length > 20 && !line.includes("-----"));
}

/** Everything that can be seen of a value, as a log would show it. */
function seen(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: true, getters: true })];
  for (let one = value; one instanceof Error; one = one.cause) {
    parts.push(one.message, one.stack ?? "");
  }
  try {
    parts.push(JSON.stringify(value));
  } catch {
    // what JSON cannot carry was inspected
  }
  return parts.join("\n");
}

describe("tls: custody", () => {
  it("no key, token or content of a hook is in any error, event, warning or fact", async () => {
    const ca = await testAuthority();
    const server = await ca.issue();
    const client = await ca.issue({ subject: "client", use: "client", names: [] });
    const outputs: unknown[] = [];
    const see = (value: unknown): void => void outputs.push(value);
    const failed = (work: Promise<unknown>): Promise<void> => work.then(see, see);
    const broken = `-----BEGIN PRIVATE KEY-----\n${CANARY}AAAA\n-----END PRIVATE KEY-----\n`;
    const encrypted = broken.replaceAll("PRIVATE", "ENCRYPTED PRIVATE");
    let material: { cert: string; key: string } = server;
    await using ends = await Ends.open({
      listen: { tls: { material: () => material, ca: ca.cert } },
      serverHooks: { onWarning: see, onReadiness: see },
    });
    see(ends.listener);
    for (const key of [broken, encrypted, CANARY, client.key, broken + server.key]) {
      material = { cert: server.cert, key };
      await failed(ends.listener.rotate());
      if (key !== client.key) await failed(ends.dial({ material: { cert: client.cert, key } }));
    }
    material = { cert: CANARY + server.cert.slice(40), key: server.key };
    await failed(ends.listener.rotate());
    await failed(ends.dial({ ca: `${CANARY}` }));
    await failed(ends.dial({ alpn: ["x"], material: client }));
    await failed(ends.dial({}, {
      authorize: () => {
        throw new TypeError("no");
      },
    }));
    const near = await ends.dial({ material: client });
    const far = await ends.accept();
    see(near.info);
    see(far.info);
    see(near);
    far.abort();
    see(await far.closed);
    see(ends.closed);
    see(ends.server.config);
    see(ends.server.counters());
    const text = outputs.map(seen).join("\n");
    assert.ok(text.length > 2_000, "the run gave outputs");
    for (const secret of [CANARY, ...secretsOf(server), ...secretsOf(client)]) {
      const where = text.indexOf(secret);
      assert.equal(where, -1, `a secret is in: ${text.slice(Math.max(0, where - 200), where)}`);
    }
  });

  it("what a hook throws is a cause, and its text is in no message", async () => {
    await using ends = await Ends.open();
    const error = await ends.dial({}, {
      authorize: () => {
        throw new Error(`token ${CANARY}`);
      },
    }).then(() => undefined, (error) => error);
    assert.ok(TransportError.is(error));
    assert.ok(!error.message.includes(CANARY));
    assert.ok(!JSON.stringify(error).includes(CANARY));
    assert.ok((error.cause as Error).message.includes(CANARY));
  });

  it("I-11: amnesia wipes bytes of keys once they are parsed, in success and failure", async () => {
    const ca = await testAuthority();
    const pair = await ca.issue();
    const other = await ca.issue({ use: "client", names: [] });
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const given: Uint8Array[] = [];
    let key = pair.key;
    const material = (): { cert: string; key: Uint8Array } => {
      given.push(bytes(key));
      return { cert: pair.cert, key: given.at(-1)! };
    };
    const amnesia = { enabled: true };
    await using ends = await Ends.open({
      server: { amnesia },
      client: { amnesia },
      listen: { tls: { material, ca: ca.cert } },
    });
    key = other.key;
    await assert.rejects(ends.listener.rotate(), { kind: "tls" });
    key = "no key at all";
    await assert.rejects(ends.listener.rotate(), { kind: "tls" });
    const own = bytes(other.key);
    const near = await ends.dial({ material: { cert: other.cert, key: own } });
    await ends.accept();
    near.abort();
    for (const one of [...given, own]) assert.ok(one.every((byte) => byte === 0));
    assert.equal(given.length, 3);
  });

  it("without amnesia bytes of keys are the caller's, and are left alone", async () => {
    const pair = await (await testAuthority()).issue();
    const key = new TextEncoder().encode(pair.key);
    await using ends = await Ends.open({ listen: { tls: () => ({ cert: pair.cert, key }) } });
    assert.ok(ends.port > 0);
    assert.equal(new TextDecoder().decode(key), pair.key);
  });
});

describe("I-11: tls: plain text in WebAssembly memory", () => {
  /** How often the canary lies in it. */
  const found = (): number =>
    new TextDecoder("latin1").decode(hot().window.buffer).split(CANARY).length - 1;

  it("is gone once a connection is, whatever came over it", async () => {
    await using ends = await Ends.open();
    const near = framed(await ends.dial());
    const far = framed(await ends.accept());
    const got = deferred<void>();
    let seen = 0;
    far.onBatch((batch) => {
      seen += batch.length;
      if (seen === 20) got.resolve();
    });
    const text = new TextEncoder().encode(`${CANARY} as plain as that `.repeat(20));
    const head = { code: 0, appProtoId: 7, tenantId: 0n };
    for (let i = 0n; i < 20n; i++) {
      const packed = i % 2n === 1n;
      await near.send({
        ...head,
        corrId: i,
        flags: packed ? FLAGS.EVENT | FLAGS.COMP : FLAGS.EVENT,
        payload: packed ? stored(text) : text,
      });
    }
    await got.promise;
    assert.ok(found() > 0, "the canary is not where it is looked for");
    await near.close();
    await far.closed;
    assert.equal(found(), 0);
  });

  it("is gone after input that cannot be inflated to its end, and a decoder that is done", () => {
    const text = new TextEncoder().encode(`${CANARY} `.repeat(40));
    const cut = new Uint8Array([...stored(text, false), 7, 0, 0]); // then a block of a kind that there is not
    assert.throws(() => inflate(cut, { codec: "zstd" }), { kind: "malformed" });
    assert.equal(found(), 0);
    const decoder = new Decoder();
    const frame = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
    decoder.push(encodeFrame({ ...frame, payload: text }));
    assert.ok(found() > 0);
    assert.equal(decoder.end(), undefined);
    assert.equal(found(), 0);
  });
});

/** A zstd frame with its content as it is, in one block, which is the last or not. */
function stored(text: Uint8Array, last = true): Uint8Array {
  const size = text.length - 256; // as the format has it in two bytes
  const block = (text.length << 3) | (last ? 1 : 0);
  return new Uint8Array([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0x60, size & 255, size >> 8],
    ...[block & 255, (block >> 8) & 255, block >> 16],
    ...text,
  ]);
}

/** A TLS echo with amnesia in a process of its own, and a connection to it. */
async function amnesiacRun(child: Spawned): Promise<void> {
  const { port, cert } = JSON.parse(await child.nextLine()) as { port: number; cert: string };
  await using client = new Transport();
  const near = await client.dial(formatAddress({ transport: "tls", hostname: "127.0.0.1", port }), {
    tls: { ca: cert },
  });
  await near.write(new TextEncoder().encode("remember me"));
  near.closeWrite();
  assert.equal(await new Response(near.readable).text(), "remember me");
  assert.equal(await child.nextLine(), "done");
}

describe("I-11: tls: amnesia", () => {
  it("runs on Deno without leave to write, to run, or to look at the environment", {
    timeout: 60_000,
    ...(runtimeName() !== "deno" && { skip: "Deno: only it has such permissions" }),
  }, async () => {
    await using child = spawnRuntime("deno", "test/tls/fixtures/amnesiac.ts", [], {
      denoFlags: ["--no-prompt", "--no-check", "--allow-read", "--allow-net=127.0.0.1"],
    });
    await amnesiacRun(child);
    assert.equal((await child.exit).code, 0, child.stderr());
  });

  const noStrace = spawnSync("strace", ["-V"], { stdio: "ignore" }).error !== undefined;
  it("writes no file, as its system calls show", {
    timeout: 120_000,
    ...(runtimeName() !== "bun"
      ? { skip: "Bun: traced there; on Deno the permissions show it" }
      : { needs: noStrace && "strace is not installed" }),
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "ron-amnesia-"));
    try {
      const trace = join(directory, "trace");
      const bun = process.execPath;
      const program = join(ROOT, "test/tls/fixtures/amnesiac.ts");
      const flags = ["-f", "-qq", "-e", "trace=openat,open,creat,mkdir,mkdirat,rename,renameat2"];
      execFileSync("strace", [...flags, "-o", trace, bun, program, "--alone"], {
        timeout: 100_000,
        stdio: "pipe",
        // Bun keeps what it made of TypeScript, unless told not to
        env: { PATH: process.env["PATH"] ?? "", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      });
      const lines = (await readFile(trace, "utf8")).split("\n");
      const bad = lines.filter((line) =>
        !/= -1 /.test(line) &&
        (/\b(?:creat|mkdir|mkdirat|rename|renameat2)\(/.test(line) ||
          /O_WRONLY|O_RDWR|O_CREAT/.test(line)) &&
        !/"\/dev\/(?:null|tty|pts\/)|"\/proc\/self/.test(line)
      );
      assert.ok(lines.length > 20, "the trace has system calls");
      assert.deepEqual(bad, []);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
