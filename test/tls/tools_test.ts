/** Other people's TLS: OpenSSL's client and server, and sslscan, where they are installed. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, TransportError } from "../../mod.ts";
import { after, before, describe, it } from "../harness.ts";
import { Ends, testAuthority } from "./ends.ts";

function missing(tool: string): { needs: false | string } {
  const { error } = spawnSync(tool, ["version"], { stdio: "ignore", timeout: 10_000 });
  return { needs: error !== undefined && `${tool} is not installed` };
}

/** A tool that runs, and what it has written so far. */
interface Tool {
  readonly child: ChildProcess;
  readonly text: () => string;
  /** Waits until its output matches. */
  until(pattern: RegExp): Promise<void>;
  /** All output, once it has ended. */
  ended(): Promise<string>;
}

function run(command: string, ...args: string[]): Tool {
  const child = spawn(command, args, { stdio: "pipe" });
  let text = "";
  child.stdout.on("data", (bytes) => text += bytes);
  child.stderr.on("data", (bytes) => text += bytes);
  child.stdin.on("error", () => {});
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    child,
    text: () => text,
    async until(pattern) {
      for (let i = 0; i < 2_000 && !pattern.test(text); i++) await delay(10);
      assert.match(text, pattern);
    },
    async ended() {
      const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await closed;
      clearTimeout(timer);
      return text;
    },
  };
}

/** What reading ends with: nothing but the end, or the kind of an error. */
async function kindOfEnd(connection: Connection): Promise<string | undefined> {
  try {
    while (await connection.read(new Uint8Array(64)) !== null);
    return undefined;
  } catch (error) {
    assert.ok(TransportError.is(error), String(error));
    return error.kind;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

describe("tls: openssl and sslscan", () => {
  let directory = "";
  const file = (name: string): string => join(directory, name);
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-tls-tools-"));
    const ca = await testAuthority();
    const server = await ca.issue();
    const client = await ca.issue({ subject: "tool", use: "client", names: [] });
    await writeFile(file("ca.pem"), ca.cert);
    await writeFile(file("server.pem"), server.cert);
    await writeFile(file("server.key"), server.key, { mode: 0o600 });
    await writeFile(file("client.pem"), client.cert);
    await writeFile(file("client.key"), client.key, { mode: 0o600 });
  });
  after(() => rm(directory, { recursive: true }));

  const sClient = (port: number, ...args: string[]): Tool =>
    run(
      "openssl",
      ...["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", file("ca.pem")],
      ...["-verify_return_error", "-alpn", "oap/1", "-servername", "localhost", ...args],
    );

  it(
    "s_client speaks TLS 1.3 with us, updates its keys, and is told of our end",
    missing("openssl"),
    async () => {
      await using ends = await Ends.open();
      const tool = sClient(ends.port);
      const far = await ends.accept();
      await tool.until(/New, TLSv1\.3/);
      assert.match(tool.text(), /ALPN protocol: oap\/1/);
      assert.match(tool.text(), /Verify return code: 0/);
      tool.child.stdin!.write("K\n");
      await tool.until(/KEYUPDATE/);
      tool.child.stdin!.write("after the update\n");
      const buffer = new Uint8Array(64);
      const n = await far.read(buffer);
      assert.equal(new TextDecoder().decode(buffer.subarray(0, n ?? 0)), "after the update\n");
      await far.write(new TextEncoder().encode("to you too"));
      far.closeWrite();
      await tool.until(/to you too/);
      await tool.until(/closed/);
      far.abort();
      await tool.ended();
    },
  );

  // Of one that is killed the kernel ends the stream, and nobody has said so. By its id, as Deno's
  // `child.kill` ends its input first, upon which s_client ends in order.
  const kill = ({ child }: Tool): unknown => process.kill(child.pid!, "SIGKILL");
  for (const [how, kind] of [["ends", undefined], ["is killed", "io_closed"]] as const) {
    const told = kind === undefined ? "an end" : "a cut";

    it(`an s_client that ${how} is told as ${told}`, missing("openssl"), async () => {
      await using ends = await Ends.open();
      const tool = sClient(ends.port);
      const far = await ends.accept();
      await far.write(new Uint8Array([10]));
      await tool.until(/New, TLSv1\.3/);
      tool.child.stdin!.write("hello\n");
      assert.equal(await far.read(new Uint8Array(64)), 6);
      if (kind === undefined) tool.child.stdin!.write("Q\n");
      else kill(tool);
      assert.equal(await kindOfEnd(far), kind);
      far.abort();
      await tool.ended();
    });

    // Q of s_server sends no close_notify; this does, and sends lines back, reversed.
    it(`an s_server that ${how} is told as ${told}`, missing("openssl"), async () => {
      await using ends = await Ends.open();
      const port = await freePort();
      const tool = run(
        "openssl",
        ...["s_server", "-accept", `127.0.0.1:${port}`, "-cert", file("server.pem")],
        ...["-key", file("server.key"), "-alpn", "oap/1", "-tls1_3", "-rev"],
      );
      await tool.until(/ACCEPT/);
      const near = await ends.client.dial(`tls://127.0.0.1:${port}`, {
        tls: { ca: (await testAuthority()).cert },
      });
      await near.write(new TextEncoder().encode("hello\n"));
      const buffer = new Uint8Array(64);
      const n = await near.read(buffer);
      assert.equal(new TextDecoder().decode(buffer.subarray(0, n ?? 0)), "olleh\n");
      if (kind === undefined) await near.write(new TextEncoder().encode("CLOSE\n"));
      else kill(tool);
      assert.equal(await kindOfEnd(near), kind);
      near.abort();
      tool.child.kill();
      await tool.ended();
    });
  }

  it("s_client cannot renegotiate", missing("openssl"), async () => {
    await using ends = await Ends.open();
    const tool = sClient(ends.port);
    const far = await ends.accept();
    await tool.until(/New, TLSv1\.3/);
    tool.child.stdin!.write("R\n");
    await tool.until(/RENEGOTIATING|wrong ssl version|error/i);
    far.abort();
    await tool.ended();
    assert.equal(ends.accepted.length, 0);
  });

  for (const version of ["-tls1_2", "-tls1_1", "-tls1"]) {
    it(`s_client with ${version} is refused`, missing("openssl"), async () => {
      await using ends = await Ends.open();
      const text = await sClient(ends.port, version, "-cipher", "ALL:@SECLEVEL=0").ended();
      // TLS 1.2 is what OpenSSL itself still speaks: the server's alert says why it does not
      assert.match(text, version === "-tls1_2" ? /alert number 70/ : /alert|error/i);
      // the oldest ones may be refused by OpenSSL itself, without a connection
      if (ends.server.counters().accepts > 0) {
        await ends.until(() => ends.closed.length > 0);
        assert.ok(["tls", "io_closed"].includes(ends.closed[0]!.reason.kind));
      }
      assert.equal(ends.accepted.length, 0);
    });
  }

  for (const mutual of [false, true]) {
    const which = mutual ? "with client certificates" : "without client certificates";
    it(`s_client resumes a session ${which}`, missing("openssl"), async () => {
      const ca = await testAuthority();
      const material = await ca.issue();
      await using ends = await Ends.open({
        listen: { tls: { material, ...(mutual && { ca: ca.cert }) } },
      });
      const own = mutual ? ["-cert", file("client.pem"), "-key", file("client.key")] : [];
      const session = file(`session-${mutual}`);
      const first = sClient(ends.port, ...own, "-sess_out", session);
      await (await ends.accept()).write(new Uint8Array([10]));
      for (let i = 0; i < 200 && !existsSync(session); i++) await delay(10);
      first.child.stdin!.end("Q\n");
      await first.ended();
      const second = sClient(ends.port, ...own, "-sess_in", session);
      const far = await ends.accept();
      await second.until(/Reused, TLSv1\.3|New, TLSv1\.3/);
      assert.match(second.text(), /Reused, TLSv1\.3/);
      assert.equal(far.info.tls?.peer?.subject, mutual ? "CN=tool" : undefined);
      far.abort();
      second.child.stdin!.end("Q\n");
      await second.ended();
    });
  }

  it(
    "s_server with TLS 1.3 serves our dial, with our certificate",
    missing("openssl"),
    async () => {
      await using ends = await Ends.open();
      const port = await freePort();
      const tool = run(
        "openssl",
        ...["s_server", "-accept", `127.0.0.1:${port}`, "-cert", file("server.pem")],
        ...["-key", file("server.key"), "-alpn", "oap/1", "-tls1_3"],
        ...["-Verify", "1", "-verify_return_error", "-CAfile", file("ca.pem")],
      );
      await tool.until(/ACCEPT/);
      const ca = await testAuthority();
      const material = await ca.issue({ subject: "us", use: "client", names: [] });
      const near = await ends.client.dial(`tls://127.0.0.1:${port}`, {
        tls: { ca: ca.cert, material },
      });
      await near.write(new TextEncoder().encode("hello openssl\n"));
      await tool.until(/hello openssl/);
      assert.match(tool.text(), /subject=CN = us/);
      near.closeWrite();
      await tool.until(/DONE|CONNECTION CLOSED/);
      near.abort();
      tool.child.kill();
      await tool.ended();
    },
  );

  it("s_server with TLS 1.2 is refused by our dial", missing("openssl"), async () => {
    await using ends = await Ends.open();
    const port = await freePort();
    const tool = run(
      "openssl",
      ...["s_server", "-accept", `127.0.0.1:${port}`, "-cert", file("server.pem")],
      ...["-key", file("server.key"), "-alpn", "oap/1", "-tls1_2"],
    );
    await tool.until(/ACCEPT/);
    const { cert } = await testAuthority();
    const error = await ends.client.dial(`tls://127.0.0.1:${port}`, { tls: { ca: cert } })
      .then(() => undefined, (error) => error);
    tool.child.kill();
    await tool.ended();
    assert.ok(TransportError.is(error));
    assert.equal(error.kind, "tls", error.message);
  });

  it(
    "sslscan finds TLS 1.3 and nothing older",
    { timeout: 120_000, ...missing("sslscan") },
    async () => {
      const material = await (await testAuthority()).issue();
      await using ends = await Ends.open({ listen: { tls: { material, alpn: [] } } });
      const tool = run("sslscan", "--no-colour", "--sleep=0", `127.0.0.1:${ends.port}`);
      const text = await tool.ended();
      assert.match(text, /TLSv1\.3\s+enabled/);
      for (const old of ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"]) {
        assert.match(text, new RegExp(`${old.replace(".", "\\.")}\\s+disabled`), old);
      }
      assert.match(text, /Session renegotiation not supported/);
      assert.doesNotMatch(text, /Compression enabled|(?<!not )vulnerable to heartbleed/);
      // All that is offered, line by line: suites of TLS 1.3 and groups of 128 bits or more.
      const suites = text.match(/^(Preferred|Accepted) .*$/gm) ?? [];
      assert.ok(suites.length >= 2, text);
      for (const suite of suites) {
        assert.match(
          suite,
          / TLSv1\.3 +(128|256) bits +TLS_(AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+ /,
        );
      }
      const [, groups = ""] = /Key Exchange Group\(s\):\n([^]*?)\n\n/.exec(text) ?? [];
      assert.ok(groups !== "", text);
      for (const group of groups.split("\n")) {
        assert.match(group, /^TLSv1\.3 +(128|192|2\d\d|256|260) bits +(secp|x25519|x448)/);
      }
      assert.match(text, /ECC Key Strength: +(128|192|256)/);
      await delay(50);
      assert.equal(ends.server.readiness.state, "Ready");
    },
  );
});
