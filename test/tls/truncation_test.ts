/** A stream that was cut is told from one that its sender ended, whoever cut it, and wherever. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, TransportError } from "../../mod.ts";
import { describe, it, runtimeName, spawnRuntime } from "../harness.ts";
import { CLOSE_NOTIFY_BYTES, cutter, type Direction, LARGEST_READ, WARM_BYTES } from "./cutter.ts";
import { Ends, type EndsOptions, testAuthority } from "./ends.ts";

const FULL = process.env["RON_FULL"] === "1";

/** Bytes at the end of the stream that never arrive. None: the sender's own end. */
const CUTS: Readonly<Record<string, number>> = {
  "nothing": 0,
  "the close_notify": CLOSE_NOTIFY_BYTES,
  "half of the close_notify": CLOSE_NOTIFY_BYTES / 2,
  "the last byte": 1,
  "a byte of the data as well": CLOSE_NOTIFY_BYTES + 1,
};

interface Case {
  readonly victim: "server" | "client";
  /** Whether it has ended its own side before. */
  readonly halfClosed?: boolean;
  /** Whether nobody reads for a while after the end has come. */
  readonly paused?: boolean;
  readonly size?: number;
  readonly drop: number;
  readonly options?: EndsOptions;
  /** Dials before the one that counts. */
  readonly before?: number;
}

interface Outcome {
  readonly bytes: number;
  /** Absent where the end was told as one. */
  readonly error: TransportError | undefined;
}

async function readAll(connection: Connection): Promise<Outcome> {
  const buffer = new Uint8Array(65_536);
  let bytes = 0;
  try {
    for (;;) {
      const n = await connection.read(buffer);
      if (n === null) return { bytes, error: undefined };
      bytes += n;
    }
  } catch (error) {
    assert.ok(TransportError.is(error), String(error));
    return { bytes, error };
  }
}

async function readExactly(connection: Connection, bytes: number): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let left = bytes; left > 0;) {
    const n = await connection.read(buffer.subarray(0, Math.min(left, buffer.length)));
    assert.ok(n !== null, `the end, and ${left} bytes were to come`);
    left -= n;
  }
}

/** A byte each way, so that tickets are out of the way. */
async function greet(near: Connection, far: Connection): Promise<void> {
  for (const [from, to] of [[near, far], [far, near]] as const) {
    await from.write(new Uint8Array(1));
    assert.equal(await to.read(new Uint8Array(1)), 1);
  }
}

async function run(
  { victim, halfClosed, paused, size = 5, drop, options, before = 0 }: Case,
): Promise<Outcome> {
  await using ends = await Ends.open(options);
  await using proxy = await cutter(ends.port);
  const { cert } = await testAuthority();
  const dial = (): Promise<Connection> =>
    ends.client.dial(`tls://127.0.0.1:${proxy.port}`, { tls: { ca: cert } });
  for (let i = 0; i < before; i++) {
    const near = await dial();
    const far = await ends.accept();
    await greet(near, far);
    await Promise.all([near.close(), far.close()]);
  }
  const near = await dial();
  const far = await ends.accept();
  await greet(near, far);
  const [hurt, sender] = victim === "server" ? [far, near] : [near, far];
  const direction: Direction = victim === "server" ? "up" : "down";
  if (halfClosed) {
    hurt.closeWrite();
    assert.equal(await sender.read(new Uint8Array(1)), null);
  }
  proxy.wire.collect(direction);
  const early = paused ? undefined : readAll(hurt);
  const sent = sender.write(new Uint8Array(size)).then(() => sender.closeWrite());
  await proxy.wire.kept(direction, size + 2);
  await sent;
  proxy.wire.release(direction, drop === 0 ? undefined : -drop);
  if (paused) await delay(100);
  const outcome = await (early ?? readAll(hurt));
  hurt.abort();
  sender.abort();
  return outcome;
}

async function check(one: Case): Promise<void> {
  const { bytes, error } = await run(one);
  const size = one.size ?? 5;
  if (one.drop === 0) {
    assert.ifError(error);
    assert.equal(bytes, size);
  } else {
    assert.equal(error?.kind, "io_closed", `an orderly end after ${bytes} of ${size} bytes`);
    assert.ok(bytes <= size);
  }
}

describe("tls: a stream that was cut", () => {
  for (const victim of ["server", "client"] as const) {
    for (const [what, drop] of Object.entries(CUTS)) {
      it(`${victim}: ${what} is missing`, { timeout: 20_000 }, async () => {
        await check({ victim, drop });
        await check({ victim, drop, halfClosed: true });
        await check({ victim, drop, size: 200_000 });
      });

      it(`${victim}: ${what} is missing, and nobody reads`, { timeout: 20_000 }, async () => {
        await check({ victim, drop, paused: true });
        await check({ victim, drop, paused: true, size: 400_000 });
        await check({ victim, drop, paused: true, halfClosed: true, size: 400_000 });
      });
    }

    it(`${victim}: of a session that was taken up again`, { timeout: 20_000 }, async () => {
      for (const drop of [0, CLOSE_NOTIFY_BYTES]) await check({ victim, drop, before: 2 });
    });

    it(`${victim}: of any length`, { timeout: 60_000 }, async () => {
      for (const size of [0, 2, 16_384, 16_386, 130_000, 700_000]) {
        for (const drop of [0, CLOSE_NOTIFY_BYTES]) {
          if (size > 0 || drop === 0) await check({ victim, drop, size });
        }
      }
    });
  }
});

// Behind a large read a runtime may look for more at once, and find the FIN in the same turn.
describe("tls: a stream that was cut while the server looked away", () => {
  for (const keep of ["all", LARGEST_READ, LARGEST_READ - 14_000, 300_000] as const) {
    it(`${keep} of its bytes arrive at once`, { timeout: 30_000 }, async () => {
      await using ends = await Ends.open();
      const { cert } = await testAuthority();
      const peer = spawnRuntime(
        runtimeName(),
        "test/tls/cut_peer.ts",
        [`${ends.port}`, cert, `${keep}`],
        { input: true },
      );
      await using _ = peer;
      const far = await ends.accept();
      await readExactly(far, WARM_BYTES);
      const reading = readAll(far);
      peer.write("now");
      await delay(20); // until that is on its way
      for (const until = performance.now() + 250; performance.now() < until;);
      const { error } = await reading;
      far.abort();
      if (keep === "all") assert.ifError(error);
      else assert.equal(error?.kind, "io_closed", "an orderly end");
    });
  }
});

describe("tls: an orderly close", () => {
  const many = FULL ? 1_000 : 200;
  it(`is never taken for a cut: ${many} beside one another`, { timeout: 120_000 }, async () => {
    await using ends = await Ends.open({
      server: { max_conns: 4_096, per_peer: { max_conns: 0 } },
      client: { max_conns: 4_096, per_peer: { max_conns: 0 } },
      listen: {
        async onConnection(far) {
          await far.write(new Uint8Array(300));
          const { error } = await readAll(far);
          assert.ifError(error);
          await far.write(new Uint8Array(20_000));
          await far.close();
        },
      },
    });
    const visit = async (n: number): Promise<void> => {
      const near = await ends.dial();
      await near.write(new Uint8Array((n * 7_919) % 120_000 + 1));
      if (n % 3 === 0) await delay(n % 5);
      if (n % 2 === 0) {
        near.closeWrite();
        const { bytes, error } = await readAll(near);
        assert.ifError(error);
        assert.equal(bytes, 20_300);
        await near.close();
      } else await near.close();
      assert.equal((await near.closed).kind, "closed");
    };
    for (let i = 0; i < many; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => visit(i + k)));
    }
    await ends.until(() => ends.closed.length === many);
    const kinds = ends.closed.map(({ reason }) => reason.kind);
    assert.deepEqual(kinds.filter((kind) => kind !== "closed"), []);
  });

  // Bun sends no close_notify where the kernel has no room for it.
  it("is one although the kernel's buffer is full: over a Unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ron-end-"));
    await chmod(directory, 0o700);
    await using ends = await Ends.open({
      listen: {
        address: `unix:${join(directory, "s")}`,
        async onConnection(far) {
          const size = new Uint8Array(4);
          assert.equal(await far.read(size), 4);
          await far.write(new Uint8Array(new DataView(size.buffer).getUint32(0)));
          await far.close();
        },
      },
    });
    try {
      for (let size = 150_000; size < 260_000; size += 10_000) {
        const near = await ends.dial();
        const asked = new Uint8Array(4);
        new DataView(asked.buffer).setUint32(0, size);
        await near.write(asked);
        const { bytes, error } = await readAll(near);
        assert.ifError(error);
        assert.equal(bytes, size);
        await near.close();
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  // Deno says that an end is done while it waits for room, and what closes then would lose it.
  it("has all before it where both sides end and read slowly: over a Unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ron-end-"));
    await chmod(directory, 0o700);
    const sent = (n: number): number => 300_000 + (n * 7_919) % 200_000;
    /** Sends as much as `n` says, reads as much slowly, and closes. */
    const exchange = async (connection: Connection, n: number): Promise<void> => {
      const write = async (): Promise<void> => {
        for (let left = sent(n), k = n; left > 0; k++) {
          const size = Math.min(left, 1 + (k * 48_271) % 90_000);
          await connection.write(new Uint8Array(size));
          left -= size;
        }
        connection.closeWrite();
      };
      const read = async (): Promise<number> => {
        const buffer = new Uint8Array(50_000);
        for (let bytes = 0, k = n;; k++) {
          const got = await connection.read(buffer);
          if (got === null) return bytes;
          bytes += got;
          if (k % 2 === 0) await delay(k % 6);
        }
      };
      const [, bytes] = await Promise.all([write(), read()]);
      assert.equal(bytes, sent(n));
      await connection.close();
      assert.equal((await connection.closed).kind, "closed");
    };
    let served = 0;
    const servings: Promise<void>[] = [];
    await using ends = await Ends.open({
      listen: {
        address: `unix:${join(directory, "s")}`,
        async onConnection(far) {
          const number = new Uint8Array(1);
          assert.equal(await far.read(number), 1);
          const serving = exchange(far, number[0]!).then(() => void served++);
          servings.push(serving);
          await serving;
        },
      },
    });
    const visit = async (n: number): Promise<void> => {
      const near = await ends.dial();
      await near.write(new Uint8Array([n]));
      await exchange(near, n);
    };
    try {
      for (let n = 0; n < 200; n += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, k) => visit(n + k)));
      }
      await Promise.all(servings);
      assert.equal(served, 200);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
