/** Paced connections on real sockets: nothing is lost, and no deadline runs for what our rates keep back. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { type CloseReason, Transport, type TransportConfig, TransportError } from "../../mod.ts";
import { encodeFrame, FLAGS, type Frame, framed } from "../../src/oap/mod.ts";
import { describe, it } from "../harness.ts";

const event = (size: number, id = 0): Frame => ({
  flags: FLAGS.EVENT,
  code: 0,
  appProtoId: 7,
  tenantId: 0n,
  corrId: BigInt(id),
  payload: new Uint8Array(size).fill(id & 255),
});

const SLOW: TransportConfig = {
  rates: { per_conn_bytes_per_sec: 60_000 },
  read_timeout: "150ms",
  write_timeout: "150ms",
  idle_timeout: "1s",
};

describe("pace on sockets", () => {
  it("hands on every byte of a peer that sends and closes at once, with no deadline against it", async () => {
    await using server = new Transport(SLOW);
    const seen: Promise<[number[], CloseReason]>[] = [];
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: (connection) => {
        const run = async (): Promise<[number[], CloseReason]> => {
          const ids: number[] = [];
          for await (const batch of framed(connection).batches()) {
            for (const frame of batch) {
              assert.equal(frame.payload[9_000], Number(frame.corrId));
              ids.push(Number(frame.corrId));
            }
          }
          void connection.close();
          return [ids, await connection.closed];
        };
        seen.push(run());
        return seen.at(-1)!.then(() => {});
      },
    });
    // 100 000 B: half a second's worth comes at once, the rest within a second more
    const bytes = Array.from({ length: 10 }, (_, i) => encodeFrame(event(10_000 - 38, i)));
    const start = performance.now();
    await new Promise<void>((resolve, reject) => {
      const socket = connect(listener.address.port!, "127.0.0.1", () => {
        for (const one of bytes) socket.write(one);
        socket.end();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.resume();
    });
    const [ids, reason] = await seen[0]!;
    assert.deepEqual(ids, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(reason.kind, "closed");
    assert.ok(performance.now() - start > 1_000, "it was paced");
    const { timeouts, readPauses } = server.counters();
    assert.deepEqual(timeouts, {});
    assert.ok(readPauses.conn > 0);
  });

  it("runs no write deadline while only tokens are missing, and none late: what is queued arrives", async () => {
    await using server = new Transport(SLOW);
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        await connection.write(new Uint8Array(100_000).fill(3));
        await connection.close();
      },
    });
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    const start = performance.now();
    const buffer = new Uint8Array(65_536);
    let got = 0;
    for (let n; (n = await connection.read(buffer)) !== null;) got += n;
    assert.equal(got, 100_000);
    assert.ok(performance.now() - start > 1_000, "it was paced");
    assert.deepEqual(server.counters().timeouts, {});
  });

  it("refuses trySend whole when it cannot be paid, counted once; send waits and is paid as it is sent", async () => {
    await using server = new Transport();
    const received: number[] = [];
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        framed(connection).onBatch((batch) =>
          batch.forEach((frame) => received.push(Number(frame.corrId)))
        );
        await connection.closed;
      },
    });
    await using client = new Transport({ rates: { per_conn_bytes_per_sec: 60_000 } });
    const frames = framed(await client.dial(listener.address));
    let taken = 0;
    for (let i = 0; i < 10; i++) {
      try {
        frames.trySend(event(10_000 - 38, i));
        taken++;
      } catch (error) {
        assert.ok(TransportError.is(error) && error.kind === "rate_limited", String(error));
        assert.equal(error.retry, "later");
      }
    }
    assert.equal(taken, 3); // half a second's worth
    assert.equal(client.counters().rejected.rate_limited, 7);
    await frames.send(event(50_000, 99)); // larger than the bucket
    await frames.close();
    assert.deepEqual(received, [0, 1, 2, 99]);
    assert.equal(client.counters().rejected.rate_limited, 7);
  });
});
