/** Dials that nobody answers, on real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Transport, TransportError } from "../../mod.ts";
import { describe, it, runtimeName, spawnRuntime, takeCensus } from "../harness.ts";

/** Some more than any runtime lets wait for `accept`: Bun always lets 512. */
const FILL = 560;
const DIALS = 200;

/** Connects until the server's queue is full, so that the kernel answers no more. */
async function fill(port: number): Promise<Socket[]> {
  const sockets = Array.from({ length: FILL }, () => connect({ host: "127.0.0.1", port }));
  for (const socket of sockets) socket.on("error", () => {});
  for (let before = -1, now = 0; now > before;) {
    await delay(150);
    before = now;
    now = sockets.filter((socket) => !socket.connecting).length;
  }
  assert.ok(sockets.some((socket) => socket.connecting), "the queue is full");
  return sockets;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  // What it waits for comes at once or never; how soon, others on this machine decide.
  for (const end = performance.now() + 10_000; !holds(); await delay(5)) {
    assert.ok(performance.now() < end, `it did not come to: ${what}`);
  }
}

describe("a dial that nobody answers", () => {
  it("leaves no descriptor, be it called off or out of time", async () => {
    await using server = spawnRuntime(runtimeName(), "test/runtime/deaf_server.ts");
    const port = Number(await server.nextLine());
    await delay(100);
    const fillers = await fill(port);
    const client = new Transport({ dial_timeout: "1500ms" });
    const before = takeCensus().sockets.size;

    const controllers = Array.from({ length: DIALS / 2 }, () => new AbortController());
    const dial = (signal?: AbortSignal): Promise<unknown> =>
      client.dial(`tcp://127.0.0.1:${port}`, signal && { signal });
    const late = Promise.allSettled(controllers.map(() => dial()));
    const calledOff = Promise.allSettled(controllers.map(({ signal }) => dial(signal)));
    await until(() => takeCensus().sockets.size === before + DIALS, "all of them connect");
    for (const controller of controllers) controller.abort(new Error("called off"));
    for (const one of await calledOff) {
      assert.equal(one.status === "rejected" && one.reason.message, "called off");
    }
    await until(() => takeCensus().sockets.size === before + DIALS / 2, "half are given up");
    for (const one of await late) {
      assert.ok(one.status === "rejected" && TransportError.is(one.reason));
      assert.equal(one.reason.kind, "timeout");
    }
    await until(() => takeCensus().sockets.size === before, "all are given up");
    await until(() => client.counters().inflight === 0, "their slots are free");

    await client.close();
    const closed = fillers.map((socket) => once(socket, "close"));
    for (const socket of fillers) socket.destroy();
    await Promise.all(closed);
  });
});
