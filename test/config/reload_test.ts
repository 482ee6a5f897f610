/** A running transport takes a whole configuration at once, or keeps what it has; each offer is recorded. */
import assert from "node:assert/strict";
import {
  type AuditEvent,
  type CloseReason,
  type Connection,
  Transport,
  type TransportConfig,
} from "../../mod.ts";
import { deferred } from "../../src/deferred.ts";
import { encodeFrame, FLAGS, framed } from "../../src/oap/mod.ts";
import { describe, it } from "../harness.ts";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const open = (config: TransportConfig = {}): { transport: Transport; events: AuditEvent[] } => {
  const events: AuditEvent[] = [];
  const transport = new Transport(config, { onAudit: (event) => void events.push(event) });
  return { transport, events };
};

describe("reload", () => {
  it("I-G8: applies hot keys at once, as a whole, and counts the version up", async () => {
    const { transport, events } = open({ max_conns: 10 });
    assert.equal(transport.configVersion, 1);
    const before = transport.config;
    const outcome = transport.reload({ max_conns: 20, read_timeout: "1s" });
    assert.equal(outcome.result, "applied");
    assert.equal(outcome.version, 2);
    assert.deepEqual(outcome.diff.map(({ path, from, to }) => [path, from, to]), [
      ["max_conns", 10, 20],
      ["read_timeout", "5s", "1s"],
    ]);
    assert.deepEqual(outcome.widened, ["max_conns"]);
    assert.equal(outcome.issues, undefined);
    assert.equal(before.max_conns, 10, "who has the old snapshot keeps it");
    assert.equal(transport.config.max_conns, 20);
    assert.ok(Object.isFrozen(transport.config) && Object.isFrozen(outcome));
    await turn();
    assert.deepEqual(events, [
      { event: "TransportConfigReloaded", result: "applied", version: 2 },
    ]);
    await transport.close();
  });

  it("a document is whole: what it leaves out goes back to its default", async () => {
    const { transport } = open({ max_conns: 10, idle_timeout: "9s" });
    const outcome = transport.reload({ idle_timeout: "9s" });
    assert.equal(transport.config.max_conns, 1_024);
    assert.deepEqual(outcome.widened, ["max_conns"], "and that it bounds less is told");
    await transport.close();
  });

  it("I-G8: with any fault keeps all that was, and lists every fault", async () => {
    const { transport, events } = open({ max_conns: 10 });
    const before = transport.config;
    const outcome = transport.reload(
      { max_conns: 5, read_timeout: "0s", limits: { max_frame_bytes: "2MiB" }, x: 1 } as never,
    );
    assert.equal(outcome.result, "rejected");
    assert.equal(outcome.version, 1);
    assert.deepEqual(outcome.diff, []);
    assert.deepEqual(outcome.issues?.map(({ path }) => path).sort(), [
      "limits.max_frame_bytes",
      "read_timeout",
      "x",
    ]);
    assert.equal(transport.config, before, "the same snapshot, not an equal one");
    for (const odd of [null, 5, [], "x", undefined]) {
      assert.ok(["rejected", "applied"].includes(transport.reload(odd as never).result));
    }
    await turn();
    assert.deepEqual(events[0], {
      event: "TransportConfigReloaded",
      result: "rejected",
      version: 1,
    });
    assert.equal(events.length, 6);
    await transport.close();
  });

  it("I-G8: with a key that needs a rebind changes nothing, hot keys included, until the rebind", async () => {
    const { transport, events } = open();
    const before = transport.config;
    const outcome = transport.reload({ max_conns: 5, bind_addr: "127.0.0.1:7001" });
    assert.equal(outcome.result, "rebind_required");
    assert.equal(outcome.version, 1);
    assert.deepEqual(outcome.diff.map(({ path }) => path), ["bind_addr", "max_conns"]);
    assert.equal(transport.config, before);
    await turn();
    assert.deepEqual(events, [
      { event: "TransportConfigReloaded", result: "rebind_required", version: 1 },
    ]);
    await transport.close();
  });

  it("a key of files that nothing reads is refused at a reload as at the start", async () => {
    const { transport } = open({ backend: "tls", tls: { enabled: true } });
    const document: TransportConfig = {
      backend: "tls",
      tls: { enabled: true, cert_path: "c", key_path: "k" },
    };
    assert.equal(transport.reload(document).result, "rejected");
    await transport.close();
  });

  it("versions grow by one with each that is applied, and with nothing else", async () => {
    const { transport, events } = open();
    const seen: number[] = [];
    for (let i = 0; i < 30; i++) {
      const valid = i % 3 === 0;
      seen.push(transport.reload({ max_conns: valid ? i + 1 : 0 }).version);
    }
    assert.deepEqual(seen, Array.from({ length: 30 }, (_, i) => 2 + Math.floor(i / 3)));
    await turn();
    assert.deepEqual(events.map((event) => "version" in event && event.version), seen);
    await transport.close();
  });
});

describe("reload under connections", () => {
  it("a lower max_conns closes nobody, and admits nobody until there is room", async () => {
    await using server = new Transport({ max_conns: 3 });
    const listener = await server.listen({ address: "tcp://127.0.0.1:0", onConnection: echo });
    await using client = new Transport();
    const open = await Promise.all([1, 2, 3].map(() => client.dial(listener.address)));
    for (const connection of open) await exchange(connection, "before");
    assert.equal(server.reload({ max_conns: 1 }).result, "applied");
    for (const connection of open) await exchange(connection, "after");
    const refused = await client.dial(listener.address);
    await until(() => server.counters().rejected.peer_limit === 1);
    refused.abort();
    await open[0]!.close();
    await open[1]!.close();
    await exchange(open[2]!, "the last");
    await until(() => server.counters().inflight === 1);
  });

  /** A framed server that notes the size of each frame, and a client that writes raw bytes. */
  const framedServer = async (
    use: (
      client: Connection,
      server: Transport,
      got: number[],
      end: Promise<CloseReason>,
    ) => Promise<void>,
  ): Promise<void> => {
    const got: number[] = [];
    const end = deferred<CloseReason>();
    await using server = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      async onConnection(connection) {
        framed(connection).onBatch((batch) => {
          for (const frame of batch) got.push(frame.payload.length);
        });
        end.resolve(await connection.closed);
      },
    });
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    await use(connection, server, got, end.promise);
    connection.abort();
  };
  const frame = (n: number): Uint8Array => {
    const bytes = { payload: new Uint8Array(n), flags: FLAGS.REQ, code: 0, appProtoId: 1 };
    return encodeFrame({ ...bytes, tenantId: 0n, corrId: 1n });
  };

  it("a frame under way keeps its cap; the next has the new one", async () => {
    await framedServer(async (client, server, got, end) => {
      const large = frame(900_000);
      await client.write(large.subarray(0, 400_000));
      await until(() => server.counters().bytesIn === 400_000);
      assert.equal(server.reload({ limits: { max_frame_bytes: "64KiB" } }).result, "applied");
      await client.write(large.subarray(400_000));
      await client.write(frame(1_000));
      await until(() => got.length === 2);
      assert.deepEqual(got, [900_000, 1_000]);
      await client.write(frame(65_536).subarray(0, 38));
      const reason = await end;
      assert.deepEqual([reason.kind, reason.fault], ["too_large", "FrameTooLarge"]);
    });
  });

  it("a compressed frame under way is inflated within the cap it began with", async () => {
    await framedServer(async (client, server, got) => {
      const payload = zstdOf(30_000, 120_000);
      const bytes = encodeFrame({
        payload,
        flags: FLAGS.REQ | FLAGS.COMP,
        code: 0,
        appProtoId: 1,
        tenantId: 0n,
        corrId: 1n,
      });
      await client.write(bytes.subarray(0, bytes.length - 10));
      await until(() => server.counters().bytesIn === bytes.length - 10);
      server.reload({ limits: { max_frame_bytes: "64KiB" } });
      await client.write(bytes.subarray(bytes.length - 10));
      await until(() => got.length === 1);
      assert.deepEqual(got, [150_000]);
    });
  });

  it("a higher cap holds from the next frame on, for the connections that are open", async () => {
    await framedServer(async (client, server, got) => {
      server.reload({ limits: { max_frame_bytes: "64KiB" } });
      await client.write(frame(1_000));
      await until(() => got.length === 1);
      assert.deepEqual(server.reload({}).widened, ["limits.max_frame_bytes"]);
      await client.write(frame(900_000));
      await until(() => got.length === 2);
    });
  });

  it("a timeout is the new one from the next wait on", async () => {
    await using server = new Transport({ idle_timeout: "60s", read_timeout: "60s" });
    const closed = deferred<CloseReason>();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      async onConnection(connection) {
        const into = new Uint8Array(10);
        await connection.read(into);
        await connection.read(into).catch(() => undefined);
        closed.resolve(await connection.closed);
      },
    });
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    await until(() => server.counters().inflight === 1);
    server.reload({ read_timeout: "50ms" });
    await connection.write(new Uint8Array(1));
    const reason = await closed.promise;
    assert.deepEqual([reason.kind, reason.error?.op], ["timeout", "read"]);
  });

  it("who waits for an old rate is paid by the new one at once", async () => {
    await using server = new Transport({ rates: { per_conn_bytes_per_sec: 2 } });
    const listener = await server.listen({ address: "tcp://127.0.0.1:0", onConnection: echo });
    await using client = new Transport();
    const connection = await client.dial(listener.address);
    await connection.write(new Uint8Array(1_000));
    await until(() => server.counters().readPauses.conn > 0);
    server.reload({});
    const into = new Uint8Array(1_000);
    for (let got = 0; got < 1_000;) got += await connection.read(into) ?? assert.fail("the end");
  });
});

/** One zstd frame: a block of `raw` bytes as they are, and one of `run` equal bytes. */
function zstdOf(raw: number, run: number): Uint8Array {
  const block = (type: number, size: number, last: number): number[] => {
    const head = last | type << 1 | size << 3;
    return [head & 0xff, head >> 8 & 0xff, head >> 16];
  };
  const start = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, ...block(0, raw, 0)];
  return Uint8Array.of(...start, ...new Uint8Array(raw), ...block(1, run, 1), 7);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function echo(connection: Connection): Promise<void> {
  await connection.readable.pipeTo(connection.writable);
}

async function exchange(connection: Connection, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  await connection.write(bytes);
  const back = new Uint8Array(bytes.length);
  for (let at = 0; at < back.length;) {
    at += await connection.read(back.subarray(at)) ?? assert.fail("the end");
  }
  assert.deepEqual(back, bytes);
}
