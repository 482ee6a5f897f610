/** A process stays while a connection of it owes something, though no socket of it is read or written just then. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it } from "../harness.ts";
import { runtimeName } from "../runtimes.ts";
import { spawnRuntime } from "../spawn.ts";
import { Ends, testAuthority } from "../tls/ends.ts";

const PROGRAM = "test/runtime/paced_program.ts";

async function says(...work: string[]): Promise<string> {
  await using program = spawnRuntime(runtimeName(), PROGRAM, work);
  const line = await program.nextLine();
  assert.deepEqual(await program.exit, { code: 0, signal: null }, program.stderr());
  return line;
}

/** Runs `work` against a server of the runtime. */
async function against(work: string, serve: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    return await says(work, `tcp://127.0.0.1:${port}`);
  } finally {
    server.close();
  }
}

describe("a process with work that waits", () => {
  it("stays until the bytes that a rate keeps back have been read, and ends then", async () => {
    assert.equal(
      await against("read", (socket) => socket.end(new Uint8Array(90_000))),
      "read 90000",
    );
  });

  it("stays until all was written to a peer that sends no more, and ends then", async () => {
    let got = 0;
    const said = await against("write", (socket) => {
      socket.on("data", (bytes) => got += bytes.length);
      socket.end();
    });
    assert.deepEqual([said, got], ["wrote", 60_000]);
  });

  it("stays likewise over TLS", async () => {
    const { cert } = await testAuthority();
    let got = 0;
    await using ends = await Ends.open({
      listen: {
        async onConnection(far) {
          await far.write(new Uint8Array(90_000));
          far.closeWrite();
          const into = new Uint8Array(65_536);
          for (let n; (n = await far.read(into)) !== null;) got += n;
          await far.close();
        },
      },
    });
    const address = `tls://127.0.0.1:${ends.port}`;
    assert.equal(await says("read", address, cert), "read 90000");
    assert.equal(await says("write", address, cert), "wrote");
    assert.equal(got, 60_000);
  });

  it("stays until a transport with connections that wait for the budget is closed, and ends then", async () => {
    assert.equal(await says("close"), "closed, 0 bytes held");
  });
});
