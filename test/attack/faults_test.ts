/**
 * Bad bytes on real sockets: each fault ends its own connection, is named and counted once, and
 * costs nobody else a frame.
 */
import assert from "node:assert/strict";
import { CAPS, type Connection, type ConnectionClosed, Transport } from "../../mod.ts";
import { encodeFrame, FLAGS, type Frame, framed } from "../../src/oap/mod.ts";
import { describe, it } from "../harness.ts";

const GOOD: Frame = {
  flags: FLAGS.REQ,
  code: 0,
  appProtoId: 7,
  tenantId: 1n,
  corrId: 1n,
  payload: new Uint8Array(100).fill(5),
};

/** A frame whose bytes are changed after encoding. */
function bent(change: (header: DataView) => void, frame: Partial<Frame> = {}): Uint8Array {
  const bytes = encodeFrame({ ...GOOD, ...frame });
  change(new DataView(bytes.buffer, bytes.byteOffset));
  return bytes;
}

/** A zstd frame of one block that repeats a byte `length` times; no declared size. */
function repeated(length: number): Uint8Array {
  const block = (length << 3) | 1 << 1 | 1;
  return new Uint8Array([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50],
    ...[block & 255, block >> 8 & 255, block >> 16],
    0x41,
  ]);
}

interface Attack {
  readonly bytes: Uint8Array;
  readonly kind: "malformed" | "too_large";
  readonly fault: string;
  /** Ends its side afterwards: the fault is in what does not come. */
  readonly half?: true;
}

const comp = (payload: Uint8Array): Uint8Array =>
  encodeFrame({ ...GOOD, flags: FLAGS.REQ | FLAGS.COMP, payload });

const ATTACKS: Readonly<Record<string, Attack>> = {
  "length of cap + 1": {
    bytes: bent((h) => h.setUint32(0, CAPS.frameBytes + 1)).subarray(0, 38),
    kind: "too_large",
    fault: "FrameTooLarge",
  },
  "length of 2^32 - 1": {
    bytes: bent((h) => h.setUint32(0, 0xffff_ffff)).subarray(0, 38),
    kind: "too_large",
    fault: "FrameTooLarge",
  },
  "length of 0": {
    bytes: bent((h) => h.setUint32(0, 0)),
    kind: "too_large",
    fault: "FrameTooLarge",
  },
  "length of 37": {
    bytes: bent((h) => h.setUint32(0, 37)),
    kind: "malformed",
    fault: "TruncatedHeader",
  },
  "version 2": { bytes: bent((h) => h.setUint16(4, 2)), kind: "malformed", fault: "BadVersion" },
  "unknown flag": {
    bytes: bent((h) => h.setUint16(6, 0x101)),
    kind: "malformed",
    fault: "BadFlags",
  },
  "capability without START": {
    bytes: bent((h) => h.setUint16(28, 3)),
    kind: "malformed",
    fault: "CapOnNonStart",
  },
  "capability beyond the frame": {
    bytes: bent((h) => h.setUint16(28, 101), { flags: FLAGS.REQ | FLAGS.START }),
    kind: "malformed",
    fault: "CapOutOfBounds",
  },
  "bomb of 1 MiB": {
    bytes: comp(repeated(131_072)),
    kind: "too_large",
    fault: "DecompressBoundExceeded",
  },
  "8 x its size + 1": {
    bytes: comp(repeated(81)),
    kind: "too_large",
    fault: "DecompressBoundExceeded",
  },
  "not zstd": { bytes: comp(new Uint8Array(50)), kind: "malformed", fault: "CodecError" },
  "end in mid-frame": {
    bytes: encodeFrame(GOOD).subarray(0, 60),
    kind: "malformed",
    fault: "TruncatedHeader",
    half: true,
  },
};

/** A server that echoes requests, and remembers how connections ended. */
async function echoServer(): Promise<
  { server: Transport; address: string; ends: ConnectionClosed[] }
> {
  const ends: ConnectionClosed[] = [];
  const server = new Transport({}, { onConnectionClosed: (event) => ends.push(event) });
  const listener = await server.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection) => {
      const peer = framed(connection);
      peer.onBatch((batch) =>
        batch.forEach(({ appProtoId, tenantId, corrId, payload }) => {
          peer.trySend({ flags: FLAGS.RESP, code: 200, appProtoId, tenantId, corrId, payload });
        })
      );
      await peer.closed;
    },
  });
  return { server, address: `tcp://127.0.0.1:${listener.address.port}`, ends };
}

async function attack(connection: Connection, { bytes, half }: Attack): Promise<void> {
  await connection.write(encodeFrame(GOOD)).catch(() => {});
  await connection.write(bytes).catch(() => {});
  if (half) connection.closeWrite();
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const n = await connection.read(buffer).catch(() => null);
    if (n === null) break;
  }
  connection.abort();
}

describe("faults on the wire", () => {
  for (const [name, bad] of Object.entries(ATTACKS)) {
    it(`${name}: ${bad.fault}, once, on that connection alone`, async () => {
      const { server, address, ends } = await echoServer();
      const client = new Transport();
      await attack(await client.dial(address), bad);
      while (server.counters().inflight > 0) await new Promise((next) => setTimeout(next, 0));
      assert.equal(ends.length, 1);
      const [{ reason }] = ends as [ConnectionClosed];
      assert.equal(reason.kind, bad.kind);
      assert.equal(reason.fault, bad.fault);
      assert.equal(reason.by, "remote");
      const { malformed, rejected } = server.counters();
      assert.deepEqual(malformed, { [bad.fault]: 1 });
      assert.equal(rejected.too_large, bad.kind === "too_large" ? 1 : 0);
      await client.close();
      await server.close();
    });
  }

  it("100 good connections lose nothing beside 100 bad ones", async () => {
    const { server, address, ends } = await echoServer();
    const client = new Transport();
    const attacks = Object.values(ATTACKS);
    const bad = Array.from({ length: 100 }, async (_, i) => {
      await attack(await client.dial(address), attacks[i % attacks.length]!);
    });
    const good = Array.from({ length: 100 }, async (_, i) => {
      const peer = framed(await client.dial(address));
      for (let n = 0; n < 20; n++) {
        const payload = new Uint8Array(500 + n * 997).fill(i + n);
        const answer = await peer.request({ ...GOOD, corrId: BigInt(n), payload });
        assert.deepEqual(answer.payload, payload);
      }
      await peer.close();
    });
    await Promise.all([...bad, ...good]);
    while (server.counters().inflight > 0) await new Promise((next) => setTimeout(next, 0));
    const kinds = new Map<string, number>();
    for (const { reason } of ends) kinds.set(reason.kind, (kinds.get(reason.kind) ?? 0) + 1);
    assert.equal(kinds.get("closed"), 100);
    assert.equal((kinds.get("malformed") ?? 0) + (kinds.get("too_large") ?? 0), 100);
    const counted = Object.values(server.counters().malformed).reduce((sum, n) => sum + n, 0);
    assert.equal(counted, 100);
    await client.close();
    await server.close();
  });
});
