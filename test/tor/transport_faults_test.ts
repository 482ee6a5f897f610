/** What a transport makes of a Tor network that fails: authorities gone, directory blocked, relay killed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Transport, TransportConfig } from "../../mod.ts";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { describe, it } from "../harness.ts";
import { TorNetwork } from "./network/mod.ts";
import { delay, noTor, onTor, pattern, readyOnTor, receive, refusal } from "./transports.ts";

const FOLDER = process.env["RON_TOR_NET"] ?? "";
const skip = noTor !== false
  ? noTor
  : FOLDER === ""
  ? "RON_TOR_NET names no network: `deno task test:tor`"
  : false;
const options = { skip, leaks: false as const, timeout: 180_000 };

/** A transport that can only ask the authorities, with what it said of itself. */
function watched(toml: string, bootstrap_timeout: string): Disposable & {
  readonly transport: Transport;
  readonly seen: string[];
} {
  const directory = mkdtempSync(join(tmpdir(), "ron-tor-faults-"));
  const file = join(directory, "arti.toml");
  writeFileSync(file, toml);
  const seen: string[] = [];
  const config: TransportConfig = { bind_addr: null, arti: { bootstrap_timeout } };
  const transport = onTor(config, {
    onReadiness: ({ to }) => seen.push(to.state === "Ready" ? "Ready" : `${to.state} ${to.reason}`),
  }, file);
  return { transport, seen, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

async function until(what: () => boolean, ms: number): Promise<void> {
  for (const end = performance.now() + ms; !what(); await delay(20)) {
    assert(performance.now() < end, `not within ${ms} ms: ${what}`);
  }
}

describe("transport on a tor network that fails", () => {
  it("authorities lost: NotReady at the timeout, Ready once they are back", options, async () => {
    const network = TorNetwork.open(FOLDER);
    const authorities = network.authorities();
    network.pause(authorities);
    try {
      using own = watched(network.tomlOfAuthorities(), "3s");
      const { transport, seen } = own;
      const start = performance.now();
      await until(() => seen.length === 2, 10_000);
      const took = performance.now() - start;
      assert(took > 2_500 && took < 6_000, `${took} ms`);
      assertEquals(seen, ["Degraded arti_bootstrap", "NotReady arti_bootstrap"]);
      const error = await refusal(transport.dial("example.org:80"));
      assertEquals(error.kind, "arti_bootstrap");
      assertMatch(error.message, /3000 ms \(arti\.bootstrap_timeout\)/);
      network.resume(authorities);
      await until(() => seen.length === 3, 120_000);
      assertEquals(seen[2], "Ready");
      await transport.close();
    } finally {
      network.resume(authorities);
    }
  });

  it("directory blocked: told as such, and closed in time", options, async () => {
    const network = TorNetwork.open(FOLDER);
    // Ports of this machine where nobody listens.
    const blocked = network.tomlOfAuthorities().replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:1");
    using own = watched(blocked, "2s");
    await until(() => own.seen.length === 2, 10_000);
    const error = await refusal(own.transport.listen({ address: "arti://x:1" }));
    assertEquals(error.kind, "arti_bootstrap");
    assertMatch(error.message, /2000 ms \(arti\.bootstrap_timeout\)/);
    assert(!error.message.includes("127.0.0.1"), error.message);
    const start = performance.now();
    await own.transport.close();
    const took = performance.now() - start;
    assert(took < 1_000, `${took} ms`);
  });

  it("relay killed in mid-stream: io_closed, and the next dial works", options, async () => {
    const network = TorNetwork.open(FOLDER);
    const sockets = new Set<Socket>();
    // The stream that carries bytes: an attempt that Arti gave up for another circuit may have come before.
    let used: Socket | undefined;
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => {}));
      socket.once("data", () => used = socket).pipe(socket);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const client = await readyOnTor({ bind_addr: null });
    try {
      const near = await client.dial(`127.0.0.1:${port}`);
      await near.write(pattern(1_000));
      assertEquals((await receive(near, 1_000)).length, 1_000);
      const exit = network.exitAt(used!.remotePort!);
      assert(exit !== undefined);
      const reading = refusal(near.read(new Uint8Array(1)));
      await network.kill(exit);
      try {
        assertEquals((await reading).kind, "io_closed");
        assertEquals((await near.closed).kind, "io_closed");
        const again = await redial(client, `127.0.0.1:${port}`);
        await again.write(pattern(1_000));
        assertEquals((await receive(again, 1_000)).length, 1_000);
      } finally {
        await network.restart(exit);
      }
    } finally {
      await client.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    }
  });
});

/** A transport tries once; whoever uses it may try again, as paths through the dead relay are found out. */
async function redial(client: Transport, target: string): ReturnType<Transport["dial"]> {
  for (let tries = 1;; tries++) {
    try {
      return await client.dial(target);
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}
