import type { Socket } from "node:net";
import { describe, it } from "../harness.ts";
import { assert, assertEquals, assertStringIncludes } from "../_std.ts";
import {
  addon,
  bootstrapped,
  codeOf,
  echoed,
  network,
  noTor,
  pattern,
  tcpServer,
  tempDir,
} from "./addon.ts";

/** Arti keeps connections to relays open from one test to the next. */
const leaks = false;

describe("arti addon, when the network fails", () => {
  const skip = noTor;
  const timeout = 180_000;

  it("tells in time that no directory answers, and bootstraps when they are back", {
    skip,
    leaks,
    timeout,
  }, async () => {
    const net = network();
    using state = tempDir();
    net.pause(net.authorities());
    const steps: { ready: boolean; summary: string; blocked?: string }[] = [];
    try {
      const client = await addon().start(
        { config: net.tomlOfAuthorities(), stateDir: state.path },
        (step) => steps.push(step),
      );
      try {
        for (const limit of [0, 1_500]) {
          const from = performance.now();
          const error = await client.bootstrapped(limit).then(() => undefined, (e: Error) => e);
          const late = performance.now() - from - limit;
          assertEquals((error as { code?: string } | undefined)?.code, "BootstrapTimeout");
          assertStringIncludes(error?.message ?? "", `${limit} ms`);
          assert(late >= -1 && late < 10_000, `${late} ms late`);
        }
        assertEquals(client.ready, false);
        assertEquals(steps.some(({ ready }) => ready), false);
        const early = await codeOf(client.connect("127.0.0.1", 1, 300));
        assert(["RemoteNetworkTimeout", "BootstrapRequired"].includes(early), early);

        const late = client.bootstrapped(90_000);
        net.resume(net.authorities());
        await late;
        // Arti says so a moment after
        for (let i = 0; i < 100 && !client.ready; i++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        assert(client.ready);
        for (const { summary, blocked = "" } of steps) {
          assert(!/\d+\.\d+\.\d+\.\d+/.test(summary + blocked), summary + blocked);
        }
      } finally {
        await client.close();
      }
    } finally {
      net.resume(net.authorities());
    }
  });

  it("ends a stream whose relay is killed, and dials again by another", {
    skip,
    leaks,
    timeout,
  }, async () => {
    const net = network();
    // The stream that carries bytes: an attempt that was given up for another circuit may have come before.
    let used: Socket | undefined;
    await using server = await tcpServer((socket) =>
      void socket.once("data", () => used = socket).pipe(socket)
    );
    await using scoped = await bootstrapped();
    const { client } = scoped;
    const stream = await client.connect("127.0.0.1", server.port, 20_000);
    await echoed(stream, pattern(10_000));
    const exit = net.exitAt(used?.remotePort ?? 0);
    assert(exit !== undefined, "some exit has the connection");

    const waiting = codeOf(stream.read(new Uint8Array(1)));
    await net.kill(exit);
    try {
      assertEquals(await waiting, "CircuitCollapse");
      assertEquals(await codeOf(stream.read(new Uint8Array(1))), "CircuitCollapse");
      // the writing side may learn of it a moment later
      let written = "none";
      for (let i = 0; i < 100 && written === "none"; i++) {
        written = await codeOf(stream.write(pattern(1)));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert(["CircuitCollapse", "RemoteStreamClosed"].includes(written), written);
      stream.close();

      const until = performance.now() + 60_000;
      for (;;) {
        const code = await codeOf((async () => {
          const again = await client.connect("127.0.0.1", server.port, 10_000);
          await echoed(again, pattern(10_000));
          again.close();
        })());
        if (code === "none") break;
        assert(performance.now() < until, `still ${code}`);
      }
    } finally {
      await net.restart(exit);
    }
  });
});
