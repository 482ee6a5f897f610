import { spawnSync } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { assertNoLeaks } from "../leaks.ts";
import {
  afterEach,
  BUILD,
  countedSignal,
  describe,
  it,
  leaksSince,
  ROOT,
  runtimeName,
  takeCensus,
} from "../harness.ts";

async function listening(): Promise<{ port: number; close(): Promise<void> }> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return {
    port: address.port,
    close: () => {
      for (const socket of accepted) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describe("leak check", () => {
  const order: string[] = [];
  afterEach(() => {
    order.push("hook");
  });

  it("sees a listening socket and then its end", async () => {
    const before = takeCensus();
    const server = await listening();
    assertMatch(leaksSince(before).join(), new RegExp(`socket 127.0.0.1:${server.port} listening`));
    await server.close();
    await assertNoLeaks(before, "closed");
  });

  it("sees a connected socket", async () => {
    const server = await listening();
    const before = takeCensus();
    const socket = connect(server.port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    assertMatch(leaksSince(before).join(), new RegExp(`to 127.0.0.1:${server.port}`));
    socket.destroy();
    await server.close();
  });

  it("sees a pending timer, held or not, and names where it was made", () => {
    const before = takeCensus();
    const id = setTimeout(() => {}, 10_000);
    assertMatch(leaksSince(before).join(), /setTimeout\(10000 ms\) set at .*leaks_test/);
    clearTimeout(id);
    assertEquals(leaksSince(before), []);
  });

  it("forgets a timer that fired", async () => {
    const before = takeCensus();
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
    assertEquals(leaksSince(before), []);
  });

  it("sees an abort listener until it is removed or released", () => {
    const before = takeCensus();
    const { controller, signal, listeners } = countedSignal();
    const listener = (): void => {};
    signal.addEventListener("abort", listener);
    assertEquals(listeners(), 1);
    assertMatch(leaksSince(before).join(), /1 abort listener/);
    signal.removeEventListener("abort", listener);
    assertEquals(leaksSince(before), []);
    signal.addEventListener("abort", listener, { once: true });
    controller.abort();
    assertEquals(listeners(), 0);
  });

  it("runs afterEach after each test", () => {
    assert(order.length >= 5);
  });

  it("fails a test that leaves a socket or a timer", () => {
    const source = "test/tooling/fixtures/leaky.ts";
    const args = {
      deno: ["test", "--no-check", "--allow-all", source],
      bun: ["test", `./${source}`],
      node: ["--test", join(BUILD, source.replace(/\.ts$/, ".js"))],
    }[runtimeName()];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...env, NO_COLOR: "1" },
    });
    assert(status !== 0, "the leaky tests passed");
    const text = stdout + stderr;
    assertMatch(
      text,
      /"leaves a socket" left 1 thing\(s\) open:\s+socket 127\.0\.0\.1:\d+ listening/,
    );
    assertMatch(text, /"leaves a timer" left 1 thing\(s\) open:\s+setTimeout\(30000 ms\) set at/);
  });
});
