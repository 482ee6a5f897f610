/** Keys that need a rebind: what is new is bound before what is old goes, and no dial is refused. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import {
  type AuditEvent,
  type Connection,
  type Listener,
  parseAddress,
  Transport,
  type TransportConfig,
  TransportError,
} from "../../mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { describe, it, runtimeName } from "../harness.ts";

const TLS = { backend: "tls", tls: { enabled: true } } as const;
/** The hook that reads these in the tests does not look at the paths. */
const NAMED = { ...TLS, tls: { ...TLS.tls, cert_path: "c.pem", key_path: "k.pem" } } as const;
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function echo(connection: Connection): Promise<void> {
  await connection.readable.pipeTo(connection.writable);
}

async function exchange(connection: Connection, n = 5): Promise<void> {
  await connection.write(new Uint8Array(n).fill(7));
  const into = new Uint8Array(n);
  for (let got = 0; got < n;) got += await connection.read(into) ?? assert.fail("the end");
}

/** Dials one after the other until told to stop; returns what each came to. */
function dialling(
  client: Transport,
  where: () => string,
  ca?: string,
): { stop(): Promise<{ good: number; bad: unknown[] }> } {
  let running = true;
  const result = { good: 0, bad: [] as unknown[] };
  const loop = (async () => {
    while (running) {
      let connection: Connection | undefined;
      try {
        const options = where().startsWith("tls:") && ca !== undefined ? { tls: { ca } } : {};
        connection = await client.dial(where(), options);
        await exchange(connection);
        await connection.close();
        result.good++;
      } catch (error) {
        connection?.abort();
        result.bad.push(error);
        await turn();
      }
    }
    return result;
  })();
  return {
    stop() {
      running = false;
      return loop;
    },
  };
}

/** Those that did not get through. What is open when the old drains is ended, which is something else. */
function refused(errors: readonly unknown[]): unknown[] {
  return errors.filter((error) => TransportError.is(error) && error.op === "dial");
}

/** A port of loopback that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

describe("rebind", () => {
  const serving = async (
    config: TransportConfig,
    tls?: { cert: string; key: string },
  ): Promise<{ server: Transport; listener: Listener; events: AuditEvent[] }> => {
    const events: AuditEvent[] = [];
    const server = new Transport(config, {
      onAudit: (event) => void events.push(event),
      ...(tls === undefined ? {} : { material: () => tls }),
    });
    const listener = await server.listen({ onConnection: echo });
    return { server, listener, events };
  };

  it("to another address: no dial is refused, old connections drain, the listener is the same", async () => {
    const { server, listener, events } = await serving({});
    await using client = new Transport();
    const before = listener.address;
    const old = await client.dial(before);
    await exchange(old);
    const port = await freePort();
    let place = `tcp://127.0.0.1:${before.port}`;
    const dials = dialling(client, () => place);
    await turn();
    const document = { bind_addr: `127.0.0.1:${port}`, max_conns: 77 };
    assert.equal(server.reload(document).result, "rebind_required");
    assert.equal(server.config.max_conns, 1_024);
    const moved = server.rebind(2_000);
    // As soon as the new address answers, it is where callers go; the old one is still there.
    const probe = new Transport();
    const ended = (async () => {
      assert.equal(await old.read(new Uint8Array(1)), null, "it is told the end, in order");
      await old.close();
      return await old.closed;
    })();
    while (listener.address.port !== port) await turn();
    place = `tcp://127.0.0.1:${port}`;
    const fresh = await probe.dial(listener.address);
    await exchange(fresh);
    await fresh.close();
    const outcome = await moved;
    const { good, bad } = await dials.stop();
    assert.equal(outcome.result, "applied");
    assert.equal(outcome.version, 2);
    assert.equal(server.config.max_conns, 77);
    assert.equal(listener.address.port, port);
    assert.deepEqual(refused(bad), []);
    assert.ok(good >= 2, String(good));
    assert.equal((await ended).kind, "closed");
    await assert.rejects(probe.dial(before), TransportError, "the old address is free");
    await probe.close();
    await client.close();
    await server.close();
    await turn();
    assert.deepEqual(
      events.map((event) => "result" in event ? event.result : event.event).slice(0, 3),
      ["TransportReadinessTransition", "rebind_required", "applied"],
    );
  });

  const CROSS = runtimeName() === "bun"
    ? "Bun: plain and TLS sockets are of different listeners, and cannot change at one address"
    : false;

  it("from tcp to tls at the same address: the socket stays bound throughout", {
    skip: CROSS,
  }, async () => {
    const pair = await throwAwayCertificate();
    const { server, listener } = await serving({}, pair);
    const { port } = listener.address;
    await using client = new Transport();
    const dials = dialling(client, () => `tcp://127.0.0.1:${port}`);
    await turn();
    assert.equal(server.reload(NAMED).result, "rebind_required");
    assert.equal((await server.rebind()).result, "applied");
    assert.equal(listener.address.transport, "tls");
    assert.equal(listener.address.port, port);
    await using secure = new Transport({ ...TLS, bind_addr: null });
    const connection = await secure.dial(listener.address, { tls: { ca: pair.cert } });
    await exchange(connection);
    assert.equal(connection.info.tls?.version, "TLSv1.3");
    await connection.close();
    const { bad } = await dials.stop();
    // Taken and then broken off, as it speaks no TLS; never refused by the system.
    assert.deepEqual(refused(bad), []);
    // And back.
    server.reload({});
    assert.equal((await server.rebind()).result, "applied");
    const plain = await client.dial({ ...listener.address });
    await exchange(plain);
    await plain.close();
    await secure.close();
    await client.close();
    await server.close();
  });

  it("what a runtime cannot change at one address is refused, and all stays", {
    skip: CROSS === false && "Deno and Node change tcp to tls at one address",
  }, async () => {
    const { server, listener } = await serving({}, await throwAwayCertificate());
    server.reload(NAMED);
    const outcome = await server.rebind();
    assert.equal(outcome.result, "rejected");
    assert.match(outcome.issues![0]!.got, /choose another port/);
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    await exchange(connection);
    await connection.close();
    await client.close();
    await server.close();
  });

  it("from tcp to tls at another address, on every runtime", async () => {
    const pair = await throwAwayCertificate();
    const { server, listener } = await serving({}, pair);
    server.reload({ ...NAMED, bind_addr: `127.0.0.1:${await freePort()}` });
    assert.equal((await server.rebind()).result, "applied");
    await using secure = new Transport({ ...TLS, bind_addr: null });
    const connection = await secure.dial(listener.address, { tls: { ca: pair.cert } });
    await exchange(connection);
    await connection.close();
    await secure.close();
    await server.close();
  });

  it("an address that cannot be bound, or material that cannot be used: all stays as it was", async () => {
    const { server, listener, events } = await serving({});
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as { port: number };
    server.reload({ bind_addr: `127.0.0.1:${port}`, max_conns: 9 });
    const outcome = await server.rebind();
    assert.equal(outcome.result, "rejected");
    assert.equal(outcome.version, 1);
    assert.equal(outcome.issues?.[0]?.path, "bind_addr");
    assert.equal(server.config.max_conns, 1_024);
    assert.equal(server.readiness.state, "Ready");
    server.reload({ ...TLS, bind_addr: `127.0.0.1:${await freePort()}` });
    assert.equal((await server.rebind()).result, "rejected", "there is no material");
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    await exchange(connection);
    await connection.close();
    await new Promise((done) => taken.close(done));
    await turn();
    const results = events.flatMap((event) => "result" in event ? [event.result] : []);
    assert.deepEqual(results, ["rebind_required", "rejected", "rebind_required", "rejected"]);
    await client.close();
    await server.close();
  });

  it("to no address: listeners drain and close, and dialling goes on", async () => {
    const { server, listener } = await serving({});
    server.reload({ bind_addr: null });
    assert.equal((await server.rebind()).result, "applied");
    assert.equal(server.config.bind_addr, null);
    await using client = new Transport();
    await assert.rejects(client.dial(listener.address), TransportError);
    await client.close();
    await server.close();
  });

  it("listeners with an address of their own stay", async () => {
    const server = new Transport();
    const own = await server.listen({ address: "tcp://127.0.0.1:0", onConnection: echo });
    const { port } = own.address;
    server.reload({ bind_addr: `127.0.0.1:${await freePort()}` });
    assert.equal((await server.rebind()).result, "applied");
    assert.deepEqual(own.address, parseAddress(`tcp://127.0.0.1:${port}`));
    await using client = new Transport();
    const connection = await client.dial(own.address);
    await exchange(connection);
    await connection.close();
    await client.close();
    await server.close();
  });

  it("nothing waits for it, or another reload came first: told", async () => {
    const server = new Transport();
    await assert.rejects(server.rebind(), /nothing|no configuration waits/);
    server.reload({ bind_addr: null });
    server.reload({ max_conns: 5 });
    await assert.rejects(server.rebind(), /no configuration waits/);
    assert.equal(server.config.max_conns, 5);
    server.reload({ bind_addr: null });
    server.reload({ max_conns: 0 });
    assert.equal((await server.rebind()).result, "applied", "a refused one changes nothing");
    await server.close();
  });
});
