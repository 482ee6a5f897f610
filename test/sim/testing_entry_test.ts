/** What `@ron/transport/testing` has for tests on real sockets: a pair, and a check for leaks. */
import assert from "node:assert/strict";
import { Transport } from "../../mod.ts";
import { assertNoLeaks, loopback, MemoryNetwork } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";

const PATIENCE = { patienceMs: 50 };

describe("loopback", () => {
  for (const tls of [false, true]) {
    it(`is a pair on real sockets, ${tls ? "with" : "without"} TLS`, async () => {
      await assertNoLeaks(async (watch) => {
        const pair = await loopback({ tls, server: { max_conns: 3 } });
        watch.transport(pair.server);
        watch.transport(pair.client);
        assert.equal(pair.near.info.tls?.version, tls ? "TLSv1.3" : undefined);
        assert.equal(pair.server.config.max_conns, 3);
        await pair.near.write(new Uint8Array([1, 2, 3]));
        const into = new Uint8Array(3);
        for (let n = 0; n < 3;) n += (await pair.far.read(into.subarray(n))) ?? 3;
        assert.deepEqual(into, new Uint8Array([1, 2, 3]));
        await pair[Symbol.asyncDispose]();
      });
    });
  }

  it("leaves nothing behind when it cannot dial", async () => {
    await assertNoLeaks(async () => {
      await assert.rejects(loopback({ client: { max_conns: 0 } }), { kind: "config_invalid" });
    });
  });
});

describe("assertNoLeaks", () => {
  it("gives what the work gives, and throws what it throws", async () => {
    assert.equal(await assertNoLeaks(() => 5), 5);
    await assert.rejects(assertNoLeaks(() => Promise.reject(new Error("mine"))), /^Error: mine$/);
  });

  it("finds a timer, and the global functions are the old ones afterwards", async () => {
    const before = globalThis.setTimeout;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await assert.rejects(
      assertNoLeaks(() => void (timer = setTimeout(() => {}, 60_000)), PATIENCE),
      /setTimeout\(60000 ms\)/,
    );
    clearTimeout(timer);
    assert.equal(globalThis.setTimeout, before);
    await assertNoLeaks(() => clearTimeout(setTimeout(() => {}, 60_000)));
    await assertNoLeaks(() => void setTimeout(() => {}, 5)); // waited for
  });

  it("finds a listener of a signal", async () => {
    const listener = (): void => {};
    await assert.rejects(
      assertNoLeaks(
        (watch) => watch.controller().signal.addEventListener("abort", listener),
        PATIENCE,
      ),
      /1 listener\(s\)/,
    );
    await assertNoLeaks((watch) => {
      const { signal } = watch.controller();
      signal.addEventListener("abort", listener);
      signal.removeEventListener("abort", listener);
    });
  });

  it("finds what a transport holds", async () => {
    const runtime = new MemoryNetwork();
    const server = new Transport({}, { runtime });
    const client = new Transport({}, { runtime });
    await assert.rejects(
      assertNoLeaks(async (watch) => {
        watch.transport(client);
        const listener = await server.listen({ onConnection: (c) => c.closed.then(() => {}) });
        await client.dial(listener.address);
      }, PATIENCE),
      /1 slot\(s\) of a transport/,
    );
    await client.close();
    await server.close();
  });

  it("finds a socket", async () => {
    const pair = { made: undefined as Awaited<ReturnType<typeof loopback>> | undefined };
    const outcome = await assertNoLeaks(async () => {
      pair.made = await loopback();
    }, PATIENCE).then(() => "nothing", (error: Error) => error.message);
    await pair.made?.[Symbol.asyncDispose]();
    assert.match(outcome, /socket \d+/);
  });
});
