/** Audit events in a real NATS server with JetStream: stored, and caught up with after it was away. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Transport } from "../../mod.ts";
import { natsAudit } from "../../src/audit/mod.ts";
import { describe, it } from "../harness.ts";

const SERVER = [
  ...(process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "nats-server")),
  "/usr/sbin/nats-server",
].find((path) => existsSync(path));
const MISSING = SERVER === undefined && "nats-server is not installed (Debian: nats-server)";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function start(port: number, store: string): Promise<ChildProcess> {
  const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store];
  const child = spawn(SERVER!, args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((ready, fail) => {
    let text = "";
    child.stderr!.on("data", (bytes) => {
      text += String(bytes);
      if (text.includes("Server is ready")) ready();
    });
    child.on("exit", () => fail(new Error(text)));
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.on("exit", done));
  process.kill(child.pid!, "SIGTERM");
  await gone;
}

describe("audit to NATS JetStream", () => {
  // The client keeps timers of its own; its end is awaited instead.
  it("each reload is stored once, in order, also those of a time without the server", {
    needs: MISSING,
    leaks: false,
    timeout: 60_000,
  }, async () => {
    const store = await mkdtemp(join(tmpdir(), "ron-nats-"));
    const port = await freePort();
    let server = await start(port, store);
    const connection = await connect({
      servers: `127.0.0.1:${port}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "audit", subjects: ["ron.transport.audit"] });
    const sink = natsAudit(jetstream(connection), { timeoutMs: 500, retryMs: 500 });
    const transport = new Transport({}, { onAudit: sink.hook });
    try {
      for (let n = 1; n <= 5; n++) transport.reload({ max_conns: n });
      assert.equal(await soon(sink, 5), true);
      await stop(server);
      for (let n = 6; n <= 10; n++) transport.reload({ max_conns: n });
      assert.equal(transport.config.max_conns, 10, "the data path does not wait");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.equal(sink.counters().waiting, 5);
      assert.ok(sink.counters().failures >= 1);
      server = await start(port, store);
      assert.equal(await soon(sink, 10), true);
      assert.deepEqual({ ...sink.counters(), failures: 0 }, {
        stored: 10,
        waiting: 0,
        dropped: 0,
        failures: 0,
      });
      const { state } = await manager.streams.info("audit");
      assert.equal(state.messages, 10);
      for (let seq = 1; seq <= 10; seq++) {
        const message = await manager.streams.getMessage("audit", { seq });
        assert.deepEqual(message?.json(), {
          event: "TransportConfigReloaded",
          result: "applied",
          version: seq + 1,
        });
      }
    } finally {
      sink.close();
      await transport.close();
      await connection.close();
      await stop(server);
      await rm(store, { recursive: true, force: true });
    }
  });
});

/** Whether that many are stored within 20 s. */
async function soon(sink: ReturnType<typeof natsAudit>, stored: number): Promise<boolean> {
  for (let i = 0; i < 400 && sink.counters().stored < stored; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return sink.counters().stored === stored;
}
