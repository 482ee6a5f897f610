import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, runtimeName, spawnRuntime } from "../harness.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { Transport } from "../../src/transport.ts";
import { run } from "./terminal.ts";

const CLI = "src/cli/main.ts";

describe("cli serve and send, wrong input", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-cli-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const oneLine = async (args: string[], code: number, line: RegExp): Promise<void> => {
    const ended = await run(...args);
    assert.match(ended.err, line);
    assert.equal(ended.err.split("\n").length, 2, ended.err);
    assert.equal(ended.out, "");
    assert.equal(ended.code, code);
  };

  it("a FILE that is not there, or is a directory: exit code 2", async () => {
    const gone = join(directory, "gone");
    for (const args of [["send", gone, "tcp://127.0.0.1:1"], ["demo", gone]]) {
      await oneLine(
        args,
        2,
        /cannot read FILE .*gone: there is no such file; name a readable file/,
      );
    }
    await oneLine(
      ["demo", directory],
      2,
      /cannot read FILE .*: it is (a directory|not a regular file)/,
    );
  });

  it("a port in use: exit code 1", async () => {
    const taken = new Transport();
    const { address } = await taken.listen({ address: "tcp://127.0.0.1:0" });
    const where = `tcp://127.0.0.1:${address.port}`;
    await oneLine(["serve", "--addr", where], 1, new RegExp(`${where}.*in use, choose another`));
    await taken.close();
  });

  it("nothing listens: exit code 1", async () => {
    const was = new Transport();
    const { port } = (await was.listen({ address: "tcp://127.0.0.1:0" })).address;
    await was.close();
    const file = join(directory, "file");
    await writeFile(file, "x");
    const where = `tcp://127.0.0.1:${port}`;
    const line = new RegExp(`cannot connect to ${where}: .*; see that a server runs there`);
    await oneLine(["send", file, where], 1, line);
  });

  it("a certificate that is missing, unreadable or no certificate: exit codes 3 and 1", async () => {
    const tls = ["serve", "--addr", "tls://127.0.0.1:0"];
    await oneLine(tls, 3, /needs a certificate and its key, and --cert FILE is missing; give/);
    await oneLine([...tls, "--cert", "x"], 3, /--key FILE is missing/);
    const gone = join(directory, "gone.pem");
    await oneLine(
      [...tls, "--cert", gone, "--key", gone],
      3,
      /cannot read --cert .*gone\.pem: there is no such file/,
    );
    await oneLine(
      ["send", CLI, "tls://127.0.0.1:1", "--ca", gone],
      3,
      /cannot read --ca .*gone\.pem: there is no such file/,
    );
    const odd = join(directory, "odd.pem");
    await writeFile(odd, "no PEM in here");
    await oneLine([...tls, "--cert", odd, "--key", odd], 1, /cannot be used/);
  });

  it("a server that is not trusted, or has no TLS: exit code 1", async () => {
    const file = join(directory, "file");
    await writeFile(file, "x");
    const server = new Transport();
    const material = await throwAwayCertificate();
    const { port } = (await server.listen({
      address: "tls://127.0.0.1:0",
      tls: () => material,
    })).address;
    const untrusted = /cannot connect to tls:.*; trust its roots with --ca FILE.*\[tls\]/;
    await oneLine(["send", file, `tls://127.0.0.1:${port}`], 1, untrusted);
    const ca = join(directory, "ca.pem");
    await writeFile(ca, material.cert);
    const misnamed = [
      "send",
      file,
      `tls://127.0.0.1:${port}`,
      "--ca",
      ca,
      "--server-name",
      "x.test",
    ];
    await oneLine(misnamed, 1, /cannot connect to tls:.* --server-name.*\[tls\]/);
    await server.close();
  });

  it("flags that do not go together: exit code 2", async () => {
    await oneLine(["serve", "--addr", "tcp://127.0.0.1:0", "--cert", "x"], 2, /--cert is for TLS/);
    await oneLine(["serve", "--echo", "--dir", directory], 2, /--echo or --dir, not both/);
    await oneLine(
      ["serve", "--dir", directory, "--max-stream", "1 TB"],
      2,
      /--max-stream must be a size/,
    );
  });

  it("an address or a value that is not valid: exit code 3", async () => {
    await oneLine(["serve", "--addr", "nowhere"], 3, /Address must be .*got "nowhere"/);
    await oneLine(["send", CLI, "http://x:1"], 3, /Address must be/);
    await oneLine(
      ["serve", "--transport.max-frame", "2MiB"],
      3,
      /limits\.max_frame_bytes must be .*2MiB/,
    );
    await oneLine(["serve", "--transport.max-conns", "0"], 3, /max_conns must be at least 1/);
  });
});

describe("cli serve", () => {
  it("says where it listens, answers status, and drains at the end of input or a signal", async () => {
    await using server = spawnRuntime(runtimeName(), CLI, [
      "serve",
      "--addr",
      "tcp://127.0.0.1:0",
      "--json",
    ]);
    const first = JSON.parse(await server.nextLine());
    assert.match(first.listening, /^127\.0\.0\.1:\d+$/);
    assert.equal(first.pid, server.pid);
    assert.equal(first.runtime, runtimeName());
    assert.deepEqual(first.readiness.map((one: { to: string }) => one.to), ["Ready"]);
    server.kill("SIGINT");
    const last: { event: string; cut?: boolean }[] = [];
    for await (const line of server.lines) last.push(JSON.parse(line));
    assert.deepEqual(last.map(({ event }) => event), ["readiness", "drained"]);
    assert.equal(last[1]?.cut, false);
    assert.equal((await server.exit).code, 0);
  });
});
