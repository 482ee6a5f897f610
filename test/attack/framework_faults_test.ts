/**
 * Three faults that a widely used server framework had until September 2026, each as a test: what is
 * attacked is this library in a process of its own, over real sockets.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { TransportConfig } from "../../mod.ts";
import { describe, it, runtimeName } from "../harness.ts";
import { Child } from "./rig/child.ts";
import { frame, header } from "./rig/frames.ts";
import { APP, ATTACK_SOURCES } from "./rig/protocol.ts";
import type { ServerReady, ServerStats } from "./rig/server.ts";

const MIB = 1_048_576;

interface Attacked extends AsyncDisposable {
  readonly child: Child;
  /** Opens connections, from each source in turn; each sends `bytes` and reads nothing. */
  attack(n: number, bytes: Uint8Array): Promise<Socket[]>;
  stats(): Promise<ServerStats>;
}

async function attacked(config: TransportConfig, tls = false): Promise<Attacked> {
  const child = new Child(runtimeName(), "server");
  const { port } = await child.tell<ServerReady>("start", { config, tls });
  const sockets: Socket[] = [];
  const open = (bytes: Uint8Array): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const localAddress = ATTACK_SOURCES[sockets.length % ATTACK_SOURCES.length]!;
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      sockets.push(socket);
      socket.pause();
      socket.on("error", reject); // later ones, such as the server's reset, change nothing
      socket.once("connect", () => {
        socket.write(bytes);
        resolve(socket);
      });
    });
  return {
    child,
    attack: (n, bytes) => Promise.all(Array.from({ length: n }, () => open(bytes))),
    stats: () => child.tell<ServerStats>("stats"),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await child[Symbol.asyncDispose]();
    },
  };
}

/** Heap and external memory, in bytes. */
function held({ memory }: ServerStats): number {
  return memory.heap + memory.external;
}

/** Asks until `done`, at most 20 s. */
async function until(
  server: Attacked,
  what: string,
  done: (stats: ServerStats) => boolean,
): Promise<void> {
  const end = performance.now() + 20_000;
  let stats = await server.stats();
  while (!done(stats)) {
    if (performance.now() > end) {
      assert.fail(`${what} did not come about in 20 s: ${JSON.stringify(stats)}`);
    }
    await delay(50);
    stats = await server.stats();
  }
}

describe("faults of a framework", () => {
  it("stalled packets pin memory: what is declared costs nothing, and what came is given back", async () => {
    await using server = await attacked({ read_timeout: "2s" });
    const before = await server.stats();
    await server.attack(100, header({ length: MIB }));
    await until(server, "100 connections", (s) => s.counters.inflight === 100);
    const declared = held(await server.stats()) - held(before);
    assert.ok(declared < 8 * MIB, `100 headers of 1 MiB each took ${declared} B`);

    const stalled = new Uint8Array(MIB - 1_000);
    stalled.set(header({ length: MIB }));
    await server.attack(20, stalled);
    await until(
      server,
      "the read deadline of 120 connections",
      (s) => s.counters.timeouts["read"] === 120,
    );
    const after = await server.stats();
    assert.equal(after.counters.inflight, 0);
    assert.equal(after.counters.rejected.timeout, 120);
    const left = held(after) - held(before);
    assert.ok(left < 0.1 * held(before) + 8 * MIB, `${left} B of stalled frames are still held`);
    assert.equal(after.memory.descriptors, before.memory.descriptors);
    assert.deepEqual(after.uncaught, []);
  });

  it("the answer of socket.write() ignored: replies that nobody reads are bounded, and end", async () => {
    await using server = await attacked({ write_timeout: "8s", idle_timeout: "60s" });
    const before = await server.stats();
    const conns = 2 * ATTACK_SOURCES.length;
    // 60 replies of 1 MiB each, in memory of their own, to each of two connections of seven peers
    const requests = new Uint8Array(60 * 38);
    for (let i = 0; i < 60; i++) requests.set(header({ app: APP.copy, corrId: BigInt(i) }), i * 38);
    await server.attack(conns, requests);
    await until(server, "840 requests", (s) => s.started === 60 * conns);
    const full = await server.stats();
    assert.ok(full.counters.busy > 0, "no reply was refused though nobody reads");
    const queued = held(full) - held(before);
    // what all inboxes may hold, and beside it one reply of each that is on its way
    assert.ok(queued < (32 + conns) * MIB, `${queued} B are queued for ${conns} connections`);
    // The inboxes hold 32 replies, at most four of a connection: eight have some. One that has none, because
    // the budget had no room, is not waited for.
    await until(server, "the write deadline of all that do not read", (s) => {
      const ended = s.counters.timeouts["write"] ?? 0;
      return ended >= 8 && held(s) - held(before) < 0.1 * held(before) + 8 * MIB;
    });
    const after = await server.stats();
    assert.deepEqual(after.uncaught, []);
  });

  for (const tls of [false, true]) {
    const name = tls ? "TLS, in their handshake" : "TCP: idle, inside a frame, and not reading";
    it(`close() leaves connections: none is left, over ${name}`, async () => {
      await using server = await attacked({}, tls);
      const before = await server.stats();
      const sockets = [
        ...await server.attack(10, new Uint8Array(0)),
        ...await server.attack(10, tls ? Uint8Array.of(22, 3, 1) : header({ length: MIB })),
        ...tls
          ? []
          : await server.attack(10, frame({ app: APP.document }, new Uint8Array(10)).slice()),
      ];
      await until(server, "connections", (s) => s.counters.inflight === sockets.length);
      const ends = sockets.map((socket) =>
        new Promise<void>((resolve) => socket.once("close", () => resolve()).resume())
      );
      await server.child.tell("close");
      await Promise.all(ends);
      await until(server, "no connection", (s) => s.counters.inflight === 0);
      const after = await server.stats();
      // the listener's own descriptor is gone as well
      assert.ok(after.memory.descriptors < before.memory.descriptors);
      assert.deepEqual(after.uncaught, []);
    });
  }
});
