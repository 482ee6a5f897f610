/** A transport on Tor: where it goes, whom it lets in, what it tells, on the stand-in. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Connection,
  type LogRecord,
  Transport,
  type TransportConfig,
  TransportError,
  type TransportHooks,
} from "../../mod.ts";
import { addonOf, arti } from "../../src/arti/mod.ts";
import { framed } from "../../src/oap/mod.ts";
import { ArtiStandIn, ManualClock, MemoryNetwork } from "../../src/testing/mod.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../_std.ts";
import { describe, it } from "../harness.ts";

const TOR: TransportConfig = { backend: "arti", amnesia: { enabled: true } };

async function on(
  addon: ArtiStandIn,
  config: TransportConfig = {},
  hooks: TransportHooks = {},
): Promise<Transport> {
  const transport = new Transport({ ...TOR, ...config }, { arti: arti({ addon }), ...hooks });
  addon.succeed();
  while (transport.readiness.state !== "Ready") await new Promise((next) => setTimeout(next, 1));
  return transport;
}

async function refusal(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert(TransportError.is(error), `no TransportError: ${error}`);
  return error;
}

async function text(connection: Connection): Promise<string> {
  const buffer = new Uint8Array(100);
  let all = "";
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return all;
    all += new TextDecoder().decode(buffer.subarray(0, n));
  }
}

const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

describe("addresses on Tor", () => {
  it("that would leave Tor are refused, as are those of Tor elsewhere", async () => {
    const tor = await on(new ArtiStandIn());
    for (const target of ["tcp://127.0.0.1:1", "unix:/run/a/b.sock"]) {
      assertEquals((await refusal(tor.dial(target))).kind, "config_invalid", target);
      assertEquals((await refusal(tor.listen({ address: target }))).kind, "config_invalid", target);
    }
    await tor.close();
    const plain = new Transport();
    const onion = `${"a".repeat(56)}.onion:7000`;
    for (const target of [onion, `tls://${onion}`, "arti://example.org:80"]) {
      const error = await refusal(plain.dial(target));
      assertEquals(error.kind, "config_invalid");
      assertMatch(error.message, /set backend = "arti"/);
    }
    await plain.close();
  });

  it("give an onion service its name and its port", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const said = async (connection: Connection, words: string): Promise<void> =>
      await connection.write(bytes(words));
    const one = await server.listen({ onConnection: (c) => said(c, "one") });
    const two = await server.listen({
      address: "arti://files:80",
      onConnection: (c) => said(c, "two"),
    });
    assertEquals([one.address.port, two.address.port], [7_000, 80]);
    assertEquals([one.address.transport, two.address.transport], ["arti", "arti"]);
    const client = await on(addon);
    assertEquals(await text(await client.dial(one.address)), "one");
    assertEquals(await text(await client.dial(two.address)), "two");
    const again = await refusal(server.listen({ address: "arti://files:81" }));
    assertEquals(again.kind, "bind_failed");
    assertMatch(again.message, /give another one, arti:\/\/NAME:PORT/);
    await client.close();
    await server.close();
  });

  it("of other hosts are reached through an exit", async () => {
    const addon = new ArtiStandIn();
    const host = addon.host("example.org", 80);
    const client = await on(addon);
    const dialled = client.dial("example.org:80");
    const stream = await host.accept();
    await stream!.write(bytes("from outside"));
    await stream!.end();
    assertEquals(await text(await dialled), "from outside");
    await host.close();
    await client.close();
  });
});

describe("dials on Tor", () => {
  it("that fail have a kind, and name nobody", async () => {
    const addon = new ArtiStandIn();
    const records: LogRecord[] = [];
    const client = await on(addon, {}, { logger: (record) => records.push(record) });
    const canary = `canary${"a".repeat(50)}.onion`;
    for (
      const [code, kind] of [
        ["OnionServiceNotFound", "io_closed"],
        ["OnionServiceAddressInvalid", "config_invalid"],
        ["RemoteNetworkTimeout", "timeout"],
        ["ExitPolicyRejected", "io_closed"],
        ["ForbiddenStreamTarget", "config_invalid"],
        ["SomethingNew", "io_closed"],
      ] as const
    ) {
      addon.failDials(code);
      const error = await refusal(client.dial(`${canary}:1`));
      assertEquals([error.kind, error.op], [kind, "dial"], code);
      assertMatch(error.message, new RegExp(`\\(${code}\\)$`));
    }
    await client.close();
    assert(records.length > 6);
    assert(!JSON.stringify(records).includes("canary"), JSON.stringify(records));
  });

  it("wait for arti.pre_dial_delay, which dial_timeout does not shorten", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const clock = new ManualClock();
    const client = await on(addon, { dial_timeout: "2s", arti: { pre_dial_delay: "5s" } }, {
      clock,
    });
    let open = false;
    const dialling = client.dial(listener.address).then(() => open = true);
    const turn = (): Promise<void> => new Promise((next) => setTimeout(next, 0));
    await turn();
    for (let i = 0; i < 49; i++) {
      clock.advance(100);
      await turn();
    }
    assertEquals(open, false);
    clock.advance(100);
    await dialling;
    await client.close();
    await server.close();
  });

  it("leave no timer behind when they are given up while they wait", async () => {
    const addon = new ArtiStandIn();
    const clock = new ManualClock();
    const client = await on(addon, { arti: { pre_dial_delay: "5s" } }, { clock });
    const before = clock.pending;
    const abort = new AbortController();
    const dialling = client.dial(`${"a".repeat(56)}.onion:7000`, { signal: abort.signal });
    const turn = (): Promise<void> => new Promise((next) => setTimeout(next, 0));
    await turn();
    assert(clock.pending > before);
    abort.abort();
    await dialling.catch(() => {});
    await turn();
    assertEquals(clock.pending, before);
    await client.close();
  });

  it("try again while Tor, though it is ready, has not chosen its guards, for three seconds", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const clock = new ManualClock();
    const client = await on(addon, {}, { clock });
    const turn = (): Promise<void> => new Promise((next) => setTimeout(next, 0));
    const advance = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 50) {
        await turn();
        clock.advance(50);
      }
    };
    addon.failDials("BootstrapRequired", "BootstrapRequired");
    const near = client.dial(listener.address);
    await advance(200);
    await near;
    addon.failDials(...new Array<string>(62).fill("BootstrapRequired"));
    const refused = refusal(client.dial(listener.address));
    await advance(3_200);
    const error = await refused;
    assertEquals([error.kind, error.op], ["arti_bootstrap", "dial"]);
    await client.close();
    await server.close();
  });
});

describe("streams on Tor", () => {
  it("have no half-close: it is refused, and loses nothing", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const listener = await server.listen({
      onConnection: (c) => c.readable.pipeTo(c.writable), // its end comes behind the peer's
    });
    const client = await on(addon);
    const near = await client.dial(listener.address);
    assertEquals(
      (() => {
        try {
          near.closeWrite();
          return "nothing";
        } catch (error) {
          return TransportError.is(error) ? error.kind : error;
        }
      })(),
      "misuse",
    );
    await near.write(bytes("still open"));
    const buffer = new Uint8Array(10);
    assertEquals(await near.read(buffer), 10);
    await near.close();
    assertEquals((await near.closed).kind, "closed");
    await client.close();
    await server.drain();
  });

  it("that break are io_closed, and the next dial works", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const client = await on(addon);
    const near = await client.dial(listener.address);
    const reading = refusal(near.read(new Uint8Array(1)));
    addon.breakStreams();
    assertEquals((await reading).kind, "io_closed");
    assertEquals((await near.closed).kind, "io_closed");
    await client.dial(listener.address);
    await client.close();
    await server.close();
  });

  it("carry frames, with the limits of a peer counted by circuit", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon, { per_peer: { max_conns: 2 } });
    const listener = await server.listen({ onConnection: (c) => framed(c).closed.then() });
    const [one, other] = [await on(addon), await on(addon)];
    const first = framed(await one.dial(listener.address));
    await first.hello("test");
    await framed(await one.dial(listener.address)).hello("test");
    const third = await one.dial(listener.address);
    assertEquals(await third.read(new Uint8Array(1)).catch(() => null), null);
    assertEquals(server.counters().rejected.peer_limit, 1);
    await framed(await other.dial(listener.address)).hello("test");
    for (const transport of [one, other, server]) await transport.close();
  });

  it("count under backend arti, with nobody's address", async () => {
    const addon = new ArtiStandIn();
    const records: LogRecord[] = [];
    const logger = (record: LogRecord): void => void records.push(record);
    const config: TransportConfig = { log: { level: "trace" } };
    const server = await on(addon, config, { logger });
    const listener = await server.listen({ onConnection: (c) => c.write(bytes("x")) });
    const client = await on(addon, config, { logger });
    const near = await client.dial(listener.address);
    assertEquals(await text(near), "x");
    await near.close();
    const { info } = near;
    assertEquals([info.backend, info.remote, info.local], ["arti", undefined, undefined]);
    const { accepts, bytesOut } = server.stats().counters.of("arti");
    assertEquals([accepts, bytesOut], [1, 1]);
    assertEquals(client.stats().counters.of("arti").dialsOk.off, 1);
    await client.close();
    await server.close();
    assert(records.every(({ backend }) => backend === "arti"));
    assert(!JSON.stringify(records).includes(listener.address.hostname!));
  });

  it("abort within 100 ms, from both ends", async () => {
    const addon = new ArtiStandIn();
    const server = await on(addon);
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const client = await on(addon);
    const all = await Promise.all(Array.from({ length: 20 }, () => client.dial(listener.address)));
    const reads = all.map((connection) => connection.read(new Uint8Array(1)).catch(() => null));
    const start = performance.now();
    await client.close();
    await Promise.all(reads);
    const took = performance.now() - start;
    assert(took < 5_000, `${took} ms`); // the bound is told on real streams; here the machine is shared
    await server.close();
  });
});

describe("configuration of Tor", () => {
  it("needs the hook, and then the addon", () => {
    const missing = assertThrows(() => new Transport(TOR), TransportError);
    assertEquals(missing.kind, "config_invalid");
    assertMatch(missing.message, /arti\(\) of @ron\/transport\/arti/);
    const error = assertThrows(
      () => new Transport(TOR, { arti: arti({ addon: "/nowhere/addon.node" }) }),
      TransportError,
    );
    assertEquals(error.kind, "config_invalid");
    assertMatch(error.message, /install @ron\/transport-arti/);
  });

  it("tells an addon that is broken from one that is missing", () => {
    const directory = mkdtempSync(join(tmpdir(), "ron-arti-"));
    try {
      const path = join(directory, "broken.node");
      writeFileSync(path, "this is no library");
      const error = assertThrows(() => addonOf({ addon: path }), TransportError);
      assertMatch(
        error.message,
        /cannot be loaded: .*broken\.node.*of this version, for this system/,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("keeps state where it is told to, in a directory of its owner's, or in memory", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ron-arti-"));
    try {
      const addon = new ArtiStandIn();
      const kept = { backend: "arti", amnesia: { enabled: false } } as const;
      const place = join(directory, "state");
      await (await on(addon, { ...kept, arti: { state_path: place } })).close();
      assertEquals(addon.starts[0], { stateDir: place });
      assertEquals(statSync(place).mode & 0o777, 0o700);
      await (await on(addon)).close();
      assertEquals(addon.starts[1], { memoryDir: "/dev/shm" });
      const config = join(directory, "arti.toml");
      writeFileSync(config, "[path_rules]\n");
      const arti_ = { state_path: "/run/user/1", config_path: config };
      await (await on(addon, { arti: arti_ })).close();
      assertEquals(addon.starts[2], { memoryDir: "/run/user/1", config: "[path_rules]\n" });
      const loose = join(directory, "loose");
      mkdirSync(loose, { mode: 0o755 });
      const transport = new Transport({ ...kept, arti: { state_path: loose } }, {
        arti: arti({ addon }),
      });
      const error = await refusal(transport.listen());
      assertEquals(error.kind, "config_invalid");
      assertMatch(error.message, /arti\.state_path.*mode 0755 and must have 0700/);
      await transport.close();
      const nothing = assertThrows(() => new Transport(kept, { arti: arti({ addon }) }));
      assertMatch(String(nothing), /arti\.state_path/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("of the client stays while it runs; the rest reloads", async () => {
    const transport = await on(new ArtiStandIn());
    for (
      const document of [
        {},
        { ...TOR, amnesia: { enabled: false }, arti: { state_path: "/var/lib/tor" } },
        { ...TOR, arti: { config_path: "/etc/arti.toml" } },
      ]
    ) {
      const { result, issues } = transport.reload(document);
      assertEquals(result, "rejected");
      assertMatch(issues![0]!.rule, /must stay as it is while a transport runs on Tor/);
    }
    const { result, diff } = transport.reload({ ...TOR, arti: { pre_dial_delay: "1s" } });
    assertEquals([result, diff[0]?.reload], ["applied", "next"]);
    await transport.close();
    const plain = new Transport({}, { arti: arti({ addon: new ArtiStandIn() }) });
    assertEquals(plain.reload(TOR).result, "rejected");
    await plain.close();
  });

  it("with TLS needs a runtime that can lay it over a stream", async () => {
    const addon = new ArtiStandIn();
    const transport = await on(addon, { tls: { enabled: true } }, { runtime: new MemoryNetwork() });
    const error = await refusal(transport.dial("example.org:443"));
    assertEquals(error.kind, "config_invalid");
    assertMatch(error.message, /memory cannot: set tls\.enabled = false/);
    await transport.close();
  });
});
