/** I-G2: who is let in, on real sockets; refusals are counted once, send nothing, and leave no slot taken. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Transport, type TransportConfig, TransportError } from "../../mod.ts";
import { describe, it } from "../harness.ts";
import type { Runtime, SocketHandler } from "../../src/runtime/runtime.ts";
import { dialFrom, type RawClient, source, until } from "./sources.ts";

interface Served extends AsyncDisposable {
  readonly server: Transport;
  /** Connects `n` raw clients from the n-th source. */
  connect(n: number, from: number): Promise<RawClient[]>;
  /** Those that are still connected, once nothing more changes. */
  alive(clients: readonly RawClient[]): number;
}

/** A server that greets every connection, so that what was admitted shows. */
async function served(config: TransportConfig): Promise<Served> {
  const server = new Transport(config);
  const listener = await server.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection) => {
      try {
        await connection.write(Uint8Array.of(1));
        while (await connection.read(new Uint8Array(16)) !== null);
      } catch {
        // broken off
      }
    },
  });
  const all: RawClient[] = [];
  return {
    server,
    connect: async (n, from) => {
      const some = await Promise.all(
        Array.from({ length: n }, () => dialFrom(listener.address, source(from))),
      );
      all.push(...some);
      return some;
    },
    alive: (clients) => clients.filter(({ ended }) => !ended).length,
    async [Symbol.asyncDispose]() {
      for (const { socket } of all) socket.destroy();
      await server.close();
    },
  };
}

/** Waits until every client is either greeted or ended. */
function settled(clients: readonly RawClient[]): Promise<void> {
  return until(
    "every client greeted or ended",
    () => clients.every(({ received, ended }) => received > 0 || ended),
  );
}

describe("admission on sockets", () => {
  it("I-G2, I-6: lets exactly max_conns in under a burst, tells the others nothing, counts each once", async () => {
    await using s = await served({ max_conns: 20 });
    const clients = (await Promise.all([0, 1, 2, 3].map((n) => s.connect(25, n)))).flat();
    await settled(clients);
    const { accepts, inflight, rejected } = s.server.counters();
    assert.equal(s.alive(clients), 20);
    assert.deepEqual([accepts, inflight, rejected.peer_limit], [20, 20, 80]);
    assert.equal(rejected.rate_limited, 0);
    for (const { received, ended } of clients) assert.equal(received, ended ? 0 : 1);
    for (const client of clients) if (!client.ended) client.socket.destroy();
    await until("all slots back", () => s.server.counters().inflight === 0);
    const again = await s.connect(20, 0);
    await settled(again);
    assert.equal(s.alive(again), 20);
  });

  it("I-6: gives each source per_peer.max_conns, however many one asks for", async () => {
    await using s = await served({ max_conns: 100, per_peer: { max_conns: 3 } });
    const greedy = await s.connect(30, 0);
    const others = (await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => s.connect(3, n)))).flat();
    await settled([...greedy, ...others]);
    assert.equal(s.alive(greedy), 3);
    assert.equal(s.alive(others), 21);
    assert.equal(s.server.counters().rejected.peer_limit, 27);
    for (const client of greedy) client.socket.destroy();
    await until("the peer's slots back", () => s.server.counters().inflight === 21);
    const again = await s.connect(4, 0);
    await settled(again);
    assert.equal(s.alive(again), 3);
  });

  it("I-12: accepts at the rate: of all, and of each peer", async () => {
    await using s = await served({
      rates: { accepts_per_sec: 40, per_peer_accepts_per_sec: 10 },
    });
    const start = performance.now();
    const greedy = await s.connect(30, 0);
    await settled(greedy);
    // half a second's worth at once, and what comes meanwhile
    const atMost = (rate: number): number =>
      Math.floor(rate * (0.5 + (performance.now() - start) / 1_000)) + 1;
    const let1 = s.alive(greedy);
    assert.ok(let1 >= 5 && let1 <= atMost(10), `${let1} of one peer`);
    const others = (await Promise.all([1, 2, 3, 4, 5, 6].map((n) => s.connect(5, n)))).flat();
    await settled(others);
    const { accepts, rejected } = s.server.counters();
    assert.ok(accepts >= 20 && accepts <= atMost(40), `${accepts} in all`);
    assert.equal(accepts + rejected.rate_limited, 60);
    assert.equal(rejected.peer_limit, 0);
    await delay(600);
    const later = await s.connect(5, 0);
    await settled(later);
    assert.equal(s.alive(later), 5);
  });

  it("bounds dials by the same slots, and gives them back after errors", async () => {
    await using s = await served({});
    const listener = await s.server.listen({ address: "tcp://127.0.0.1:0" });
    const dead = await new Transport().listen({ address: "tcp://127.0.0.1:0" });
    await dead.close();
    await using client = new Transport({ max_conns: 3, per_peer: { max_conns: 2 } });
    for (let i = 0; i < 10; i++) {
      await assert.rejects(
        client.dial(dead.address),
        (error) => TransportError.is(error) && error.kind === "io_closed",
      );
    }
    assert.equal(client.counters().inflight, 0);
    const gone = AbortSignal.abort(new Error("no more"));
    await assert.rejects(client.dial(listener.address, { signal: gone }), /no more/);
    const first = await client.dial(listener.address);
    // by name the peer is known only when it is connected
    const second = await client.dial(`tcp://localhost:${listener.address.port}`);
    for (const target of [listener.address, `tcp://localhost:${listener.address.port}`]) {
      await assert.rejects(
        client.dial(target),
        (error) => TransportError.is(error) && error.kind === "peer_limit",
      );
    }
    const { rejected, dialsErr } = client.counters();
    assert.deepEqual([rejected.peer_limit, dialsErr], [2, 12]); // one was called off before it began
    await until("the refused one's slot back", () => client.counters().inflight === 2);
    first.abort();
    await until("the slot back", () => client.counters().inflight === 1);
    (await client.dial(listener.address)).abort();
    second.abort();
    await until("all slots back", () => client.counters().inflight === 0);
  });

  it("gives slots back whatever a peer does: FIN, RST, nonsense, or nothing", async () => {
    await using s = await served({ max_conns: 8, idle_timeout: "1s" });
    for (let round = 0; round < 3; round++) {
      const clients = await s.connect(8, 0);
      await settled(clients);
      for (const [i, { socket }] of clients.entries()) {
        if (i % 3 === 0) socket.end();
        else if (i % 3 === 1) socket.resetAndDestroy();
        else if (i === 2) socket.destroy();
      }
      await until("the others", () => s.server.counters().inflight <= 5);
      for (const { socket } of clients) socket.destroy();
      await until("all slots back", () => s.server.counters().inflight === 0);
    }
    assert.equal(s.server.counters().accepts, 24);
  });

  it("holds accepted peers whose address the system does not tell to the limits of one peer", async () => {
    let connect = (): SocketHandler | undefined => undefined;
    const runtime: Runtime = {
      name: "memory",
      version: "1",
      connect: () => Promise.reject(new Error("only listens")),
      listen: (address, _tls, onAccept) => {
        const nobody = { remote: undefined, uid: undefined, destroy: () => {} };
        connect = () => onAccept(nobody);
        return Promise.resolve({ address, close: () => Promise.resolve() });
      },
    };
    const server = new Transport({ per_peer: { max_conns: 2 } }, { runtime });
    await server.listen({ address: "tcp://127.0.0.1:1" });
    const handlers = [connect(), connect()];
    assert.ok(handlers.every((handler) => handler !== undefined));
    assert.equal(connect(), undefined);
    assert.equal(server.counters().rejected.peer_limit, 1);
    await server.close();
    for (const handler of handlers) handler!.onClose(undefined);
    assert.equal(server.counters().inflight, 0);
  });
});
