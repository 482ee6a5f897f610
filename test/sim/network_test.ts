/** The memory network: its faults, and that a seed repeats all of it. */
import assert from "node:assert/strict";
import { type CloseReason, Transport } from "../../mod.ts";
import {
  conformance,
  drive,
  type DuplexPair,
  duplexPair,
  type DuplexPairOptions,
  ManualClock,
  MemoryNetwork,
} from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";

async function pairOn(
  clock: ManualClock,
  options: Omit<DuplexPairOptions, "clock" | "time"> = {},
): Promise<DuplexPair> {
  return await drive(clock, duplexPair({ latencyMs: [1, 9], ...options, clock, time: clock }));
}

async function closing(clock: ManualClock, pair: DuplexPair): Promise<CloseReason[]> {
  const reasons = await drive(clock, Promise.all([pair.near.closed, pair.far.closed]));
  await drive(clock, pair[Symbol.asyncDispose]());
  while (clock.step());
  assert.equal(clock.pending, 0);
  return reasons;
}

describe("memory network", () => {
  for (
    const { name, run } of conformance(() => {
      const runtime = new MemoryNetwork({ seed: 5, vary: true });
      const server = new Transport({ max_conns: 8 }, { runtime });
      const client = new Transport({}, { runtime });
      return {
        server,
        client,
        listen: (options) => server.listen({ address: "tcp://127.0.0.1:0", ...options }),
        dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
      };
    })
  ) {
    it(`sockets of every habit: ${name}`, run);
  }

  it("a seed repeats every cut and every delay", async () => {
    const run = async (seed: number): Promise<string> => {
      const clock = new ManualClock();
      const pair = await pairOn(clock, { seed, vary: true, maxReceive: 300 });
      const log: string[] = [];
      await drive(clock, async () => {
        const reading = (async () => {
          const into = new Uint8Array(1_000);
          for (;;) {
            const n = await pair.far.read(into);
            log.push(`${clock.now()} ${n}`);
            if (n === null) break;
          }
        })();
        for (let i = 0; i < 10; i++) await pair.near.write(new Uint8Array(700).fill(i));
        pair.near.closeWrite();
        await reading;
        await pair.far.close();
      });
      await closing(clock, pair);
      return log.join("\n");
    };
    assert.equal(await run(7), await run(7));
    assert.notEqual(await run(7), await run(8));
  });

  it("latency is within what was asked for, and moves only with the clock", async () => {
    const clock = new ManualClock();
    const pair = await pairOn(clock, { latencyMs: [10, 20] });
    const before = clock.now();
    let got: number | null | undefined;
    void pair.far.read(new Uint8Array(4)).then((n) => got = n);
    pair.near.tryWrite(new Uint8Array(4));
    for (let i = 0; i < 100; i++) await null;
    assert.equal(got, undefined);
    await drive(clock, async () => {
      while (got === undefined) await new Promise<void>((go) => clock.after(1, go));
    });
    assert.ok(clock.now() - before >= 10 && clock.now() - before <= 22, `${clock.now() - before}`);
    pair.wire.reset();
    await closing(clock, pair);
  });

  it("a stall holds bytes back, and loses none", async () => {
    const clock = new ManualClock();
    const pair = await pairOn(clock);
    pair.wire.out.stall();
    const into = new Uint8Array(5);
    const reading = pair.far.read(into);
    pair.near.tryWrite(new Uint8Array([1, 2, 3, 4, 5]));
    await drive(clock, new Promise<void>((go) => clock.after(1_000, go)));
    assert.equal(pair.wire.out.passed, 0);
    assert.equal(pair.wire.out.held, 5);
    pair.wire.out.resume();
    const n = await drive(clock, reading);
    assert.deepEqual(into.subarray(0, n ?? 0), new Uint8Array([1, 2, 3, 4, 5]).subarray(0, n ?? 0));
    pair.wire.reset();
    await closing(clock, pair);
  });

  it("a direction that goes silent is found by a deadline; the other end is told nothing", async () => {
    const clock = new ManualClock();
    const pair = await pairOn(clock, { config: { read_timeout: "2s", idle_timeout: "30s" } });
    pair.wire.out.lose();
    pair.near.tryWrite(new Uint8Array(5));
    pair.far.read(new Uint8Array(5)).catch(() => {});
    const [near, far] = await closing(clock, pair);
    assert.equal(far!.kind, "timeout");
    assert.equal(near!.kind, "io_closed"); // the way back still works: the reset came through
  });

  it("a reset of the network is told to both, once", async () => {
    const clock = new ManualClock();
    const pair = await pairOn(clock);
    pair.wire.reset();
    pair.wire.reset();
    const reasons = await closing(clock, pair);
    assert.deepEqual(reasons.map(({ kind }) => kind), ["io_closed", "io_closed"]);
  });

  it("a forced end is an end for the receiver; what is written later vanishes", async () => {
    const clock = new ManualClock();
    for (const seed of [1, 2, 3, 4]) {
      const pair = await pairOn(clock, { seed, vary: true });
      pair.near.tryWrite(new Uint8Array(3));
      pair.wire.out.end();
      pair.near.tryWrite(new Uint8Array(100_000));
      const got = await drive(clock, async () => {
        let sum = 0;
        for (let n: number | null = 0; n !== null; n = await pair.far.read(new Uint8Array(9))) {
          sum += n;
        }
        await pair.far.close();
        return sum;
      });
      assert.ok(got <= 3);
      pair.near.abort();
      await closing(clock, pair);
    }
  });

  it("a host dials from its own address; nothing listens is refused", async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ time: clock, latencyMs: [1, 5] });
    const server = new Transport({}, { runtime: network, clock });
    const client = new Transport({}, { runtime: network.host("10.1.2.3"), clock });
    await drive(clock, async () => {
      const seen: (string | undefined)[] = [];
      const listener = await server.listen({
        onConnection: (c) => void seen.push(c.info.remote?.hostname),
      });
      await (await client.dial(listener.address)).closed;
      assert.deepEqual(seen, ["10.1.2.3"]);
      await listener.close();
      await assert.rejects(client.dial(listener.address), /Nothing listens/);
      await server.close();
      await client.close();
    });
    while (clock.step());
    assert.equal(network.sockets, 0);
  });

  it("accepts that find no descriptor are counted, and tried again", async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ time: clock });
    const server = new Transport({}, { runtime: network, clock });
    const client = new Transport({}, { runtime: network, clock });
    await drive(clock, async () => {
      const listener = await server.listen({ onConnection: () => {} });
      network.failAccepts(3);
      await (await client.dial(listener.address)).close();
      assert.equal(server.counters().acceptFaults, 3);
      assert.equal(clock.now() >= 300, true);
      await server.close();
      await client.close();
    });
  });

  it("says that work waits for nothing that will come", async () => {
    await assert.rejects(drive(new ManualClock(), new Promise(() => {})), /no event of the clock/);
  });
});
