/**
 * LOOM-CANCEL-01, LOOM-LOCK-01, LOOM-SW-01: one connection in every order of what its socket, its user
 * and the time do to it.
 */
import assert from "node:assert/strict";
import { type Connection, type ConnectionClosed, Transport, TransportError } from "../../mod.ts";
import { FLAGS, type Frame, framed, type FramedConnection } from "../../src/oap/mod.ts";
import type { PendingSocket, Runtime, Socket, SocketHandler } from "../../src/runtime/runtime.ts";
import { duplexPair, ManualClock, MemoryNetwork } from "../../src/testing/mod.ts";
import { countedSignal, describe, it } from "../harness.ts";
import { everyInterleaving, type Model, outcome, turns } from "./interleave.ts";

/** A runtime whose one socket does what a test says. */
class Puppets implements Runtime, Socket, PendingSocket {
  readonly name = "memory";
  readonly version = "puppet";
  readonly info = { remote: { hostname: "10.0.0.1", port: 9 } };
  readonly remote = { hostname: "10.0.0.1", port: 9 };
  readonly lends = false;
  handler: SocketHandler | undefined;
  over = false;
  destroyed = 0;

  connect(_address: unknown, _tls: unknown, handler: SocketHandler): Promise<PendingSocket> {
    this.handler = handler;
    return Promise.resolve(this);
  }
  listen(): never {
    throw new Error("not here");
  }
  write(bytes: Uint8Array): number {
    return bytes.length;
  }
  cork(): void {}
  uncork(): void {}
  shutdown(): void {}
  destroy(): void {
    this.destroyed++;
  }
  pause(): void {}
  resume(): void {}

  /** An event, unless the socket is closed already. */
  tell(event: (handler: SocketHandler) => void): void {
    if (!this.over && this.handler !== undefined) event(this.handler);
  }
  close(): void {
    this.tell((handler) => {
      this.over = true;
      handler.onClose(undefined);
    });
  }
}

describe("connection model", () => {
  it("LOOM-CANCEL-01: dial, open, abort, time and close in any order end once, with no slot", async () => {
    const orders = await everyInterleaving(async (): Promise<Model> => {
      const clock = new ManualClock();
      const runtime = new Puppets();
      const { controller, signal, listeners } = countedSignal();
      const closed: ConnectionClosed[] = [];
      const client = new Transport({ bind_addr: null, dial_timeout: "1s" }, {
        clock,
        runtime,
        onConnectionClosed: (event) => closed.push(event),
      });
      let connection: Connection | undefined;
      const dialled = client.dial("10.0.0.1:9", { signal });
      dialled.then((made) => connection = made, () => {});
      const dial = outcome(dialled);
      await turns(8);
      let open = false;
      return {
        threads: {
          socket: [
            () =>
              runtime.tell((handler) => {
                open = runtime.destroyed === 0;
                if (open) handler.onOpen(runtime);
              }),
            () => open && runtime.tell((handler) => handler.onEnd()),
            () => runtime.close(),
          ],
          user: [() => controller.abort(new Error("not now")), () => void connection?.close()],
          time: [() => clock.advance(2_000)],
          transport: [() => void client.close()],
        },
        check() {
          const { inflight } = client.counters();
          assert.ok(inflight === 0 || inflight === 1);
          assert.equal(inflight, runtime.over ? 0 : 1);
          assert.ok(closed.length <= 1);
        },
        async end() {
          runtime.close();
          await turns();
          assert.notEqual(dial.now, "waits");
          assert.equal(closed.length, 1);
          assert.equal(client.counters().inflight, 0);
          assert.equal(client.inspect().links.size, 0);
          assert.equal(clock.pending, 0);
          assert.equal(listeners(), 0);
          assert.ok(runtime.destroyed <= 1, `destroyed ${runtime.destroyed} times`);
          assert.equal(client.counters().dialsOk + client.counters().dialsErr, 1);
        },
      };
    });
    assert.equal(orders, 420);
  });

  it("LOOM-CANCEL-01: a request that is answered, given up, late or cut off settles once", async () => {
    const head = { code: 0, appProtoId: 7, tenantId: 0n, corrId: 5n };
    const orders = await everyInterleaving(async (): Promise<Model> => {
      const clock = new ManualClock();
      const pair = await duplexPair({ clock });
      const near = framed(pair.near);
      const far = framed(pair.far);
      const { controller, signal, listeners } = countedSignal();
      let request: Frame | undefined;
      far.onBatch((batch) => batch.forEach((frame) => request = frame.toFrame()));
      const payload = new Uint8Array(20_000);
      const asked = outcome(
        near.request({ ...head, flags: FLAGS.REQ, payload }, { signal, timeoutMs: 500 }),
      );
      const other = outcome(near.request({ ...head, corrId: 6n, flags: FLAGS.REQ, payload }));
      return {
        threads: {
          peer: [() => {
            try {
              if (request !== undefined) {
                far.trySend({ ...head, flags: FLAGS.RESP, code: 200, payload: new Uint8Array(1) });
              }
            } catch (error) {
              assert.ok(TransportError.is(error));
            }
          }],
          user: [() => controller.abort(new Error("given up"))],
          time: [() => clock.advance(1_000)],
          close: [() => void near.close(), () => pair.near.abort()],
          network: [() => pair.wire.reset()],
        },
        async end() {
          await turns(200);
          assert.notEqual(asked.now, "waits");
          assert.notEqual(other.now, "waits");
          assert.notEqual(other.now, "ok");
          assert.ok(["ok", "given up", "timeout", "io_closed", "misuse"].includes(asked.now));
          assert.equal(near.inflight, 0);
          assert.equal(listeners(), 0);
          await pair[Symbol.asyncDispose]();
          await turns(200);
          assert.equal(clock.pending, 0);
        },
      };
    });
    assert.equal(orders, 360);
  });

  it("I-G3, I-4: LOOM-SW-01: a second writer is refused; what was written before goes out whole", async () => {
    const orders = await everyInterleaving(async (): Promise<Model> => {
      const pair = await duplexPair({ seed: 3, clock: new ManualClock() });
      const got: number[] = [];
      const reading = (async () => {
        const into = new Uint8Array(64);
        for (let n = await pair.far.read(into); n !== null; n = await pair.far.read(into)) {
          got.push(...into.subarray(0, n));
        }
        await pair.far.close();
      })();
      let frames: FramedConnection | undefined;
      const kinds: string[] = [];
      const attach = (): void => {
        try {
          frames = framed(pair.near);
          kinds.push("attached");
        } catch (error) {
          kinds.push((error as TransportError).kind);
        }
      };
      let raw = 0;
      const write = (): void => {
        const before = frames === undefined;
        try {
          pair.near.tryWrite(new Uint8Array(10).fill(1));
          assert.ok(before, "a raw write went through after a protocol took over");
          raw++;
        } catch (error) {
          assert.equal((error as TransportError).kind, "misuse");
          assert.equal(before, false);
        }
      };
      return {
        threads: {
          one: [write, attach],
          two: [attach, write],
          three: [write],
          frames: [() => frames?.trySend(event(2)), () => frames?.trySend(event(3))],
        },
        async end() {
          assert.deepEqual(kinds.sort(), ["attached", "misuse"]);
          await frames!.close();
          await reading;
          assert.deepEqual(got.slice(0, 10 * raw), Array<number>(10 * raw).fill(1));
          // What follows are whole frames.
          assert.equal((got.length - 10 * raw) % (38 + 4), 0);
          await pair[Symbol.asyncDispose]();
        },
      };
    });
    assert.equal(orders, 630);
  });

  it("LOOM-BP-01: both ends write until all is full, then one closes: everybody settles", async () => {
    for (const way of ["close", "abort", "drain", "end"] as const) {
      await everyInterleaving(async (): Promise<Model> => {
        const clock = new ManualClock();
        const runtime = new MemoryNetwork({ seed: 9 });
        const server = new Transport({}, { clock, runtime });
        const client = new Transport({}, { clock, runtime });
        let far: Connection | undefined;
        const listener = await server.listen({
          address: "tcp://127.0.0.1:0",
          onConnection: async (connection) => {
            far = connection;
            await connection.closed;
          },
        });
        const near = await client.dial(listener.address);
        await turns(8);
        const bytes = new Uint8Array(1_048_576);
        const writes = [near, near, far!, far!].flatMap((connection) =>
          Array.from({ length: 3 }, () => outcome(connection.write(bytes)))
        );
        const reads = [near, far!].map((connection) => outcome(connection.read(new Uint8Array(1))));
        return {
          threads: {
            close: [() => {
              if (way === "close") void near.close();
              else if (way === "abort") near.abort();
              else if (way === "drain") void client.drain(1_000);
              else near.closeWrite();
            }],
            server: [() => void far!.close(), () => void server.close()],
            time: [() => clock.advance(1_500), () => clock.advance(60_000)],
          },
          async end() {
            for (let i = 0; i < 4; i++) {
              await turns(200);
              clock.advance(60_000);
            }
            for (const { now } of [...writes, ...reads]) assert.notEqual(now, "waits");
            await client.close();
            await server.close();
            await turns(100);
            assert.equal(client.counters().inflight, 0);
            assert.equal(server.counters().inflight, 0);
            assert.equal(clock.pending, 0);
          },
        };
      });
    }
  });
});

function event(value: number): Frame {
  const payload = new Uint8Array(4).fill(value);
  return { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload };
}
