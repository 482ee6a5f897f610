import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Socket as NetSocket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { type Connection, Transport } from "../../mod.ts";
import { deferred } from "../../src/deferred.ts";
import { receiveInto, Windows } from "../../src/runtime/deno_windows.ts";
import { NodeSocket } from "../../src/runtime/node_socket.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Socket, SocketHandler } from "../../src/runtime/runtime.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { describe, it, runtimeName } from "../harness.ts";

const MEMBERS = [
  "tls.receive",
  "tls.useUserBuffer",
  "below.useUserBuffer",
  "below.getBytesRead",
  "below.readStart",
  "below.readStop",
  "secure.kBuffer",
  "secure.kBufferCb",
];

/** TLS and the socket below it, as far as they are looked at, but for one member. */
class Fake {
  readonly windows = new Windows();
  readonly given: number[] = [];
  readonly stock: unknown[] = [];
  readonly calls: string[] = [];
  room = 65_536;
  /** Where the socket reads, and TLS decrypts, to. */
  window: Uint8Array | undefined;
  plain: Uint8Array | undefined;
  total = 1_000;
  readonly tls: Record<string, unknown> = {
    receive: (bytes: Uint8Array) => void this.given.push(bytes.length),
    useUserBuffer: (window: Uint8Array) => this.plain = window,
  };
  readonly below: Record<string, unknown> = {
    onread: (bytes: unknown) => void this.stock.push(bytes),
    useUserBuffer: (window: Uint8Array) => this.window = window,
    getBytesRead: () => this.total,
    readStart: () => void this.calls.push("start"),
    readStop: () => void this.calls.push("stop"),
  };
  readonly secure: Record<symbol, unknown>;
  readonly taken: Uint8Array[] = [];

  constructor(missing?: string) {
    const [side, member] = (missing ?? "").split(".") as [string, string];
    if (side === "tls") delete this.tls[member];
    if (side === "below") delete this.below[member];
    const symbols = ["kBuffer", "kBufferCb"].filter((name) => name !== member || side !== "secure");
    this.secure = Object.assign(
      new EventEmitter(),
      { resume: () => void this.calls.push("resume") },
      Object.fromEntries(symbols.map((name) => [Symbol(name), null])),
    ) as never;
  }

  receive(): boolean {
    return receiveInto(this.windows, {
      secure: this.secure as unknown as TLSSocket,
      tls: this.tls as never,
      below: this.below as never,
      room: () => this.room,
      take: (bytes) => void this.taken.push(bytes),
    });
  }

  /** The socket has so many bytes, in the window unless given. */
  came(n: number, bytes?: unknown): void {
    this.total += n;
    (this.below["onread"] as (bytes?: unknown) => void)(bytes);
  }

  hidden(name: string): unknown {
    const symbol = Object.getOwnPropertySymbols(this.secure)
      .find(({ description }) => description === name);
    return this.secure[symbol!];
  }
}

const LACK = "Deno no longer has what it takes: see deno_windows.ts";

/** Looks at how bytes come. */
class Looking implements SocketHandler {
  readonly receiveBytes: number;
  readonly open = deferred<Socket>();
  readonly closed = deferred<void>();
  /** What is said of the next calls, instead of going on. */
  readonly answers: boolean[] = [];
  readonly sizes: number[] = [];
  bytes = 0;
  owned = 0;

  constructor(receiveBytes = 65_536) {
    this.receiveBytes = receiveBytes;
  }

  get calls(): number {
    return this.sizes.length;
  }

  onOpen(socket: Socket): void {
    this.open.resolve(socket);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    this.sizes.push(bytes.length);
    this.bytes += bytes.length;
    if (owned) this.owned++;
    return this.answers.shift() ?? true;
  }

  onWritten(): void {}
  onDrain(): void {}
  onEnd(): void {}

  onClose(): void {
    this.closed.resolve();
  }
}

/** Two ends with TLS, below all that a transport does; and what memory TLS was given to decrypt. */
async function seam(
  server: Looking,
  client: Looking,
): Promise<AsyncDisposable & { receives: number[] }> {
  const receives: number[] = [];
  const handles = Object.getPrototypeOf(
    (new TLSSocket(new NetSocket()) as unknown as { _handle: object | null })._handle ?? {},
  ) as { receive?: (bytes: Uint8Array) => void };
  const { receive } = handles;
  if (receive !== undefined) {
    handles.receive = function (bytes) {
      receives.push(bytes.buffer.byteLength);
      receive.call(this, bytes);
    };
  }
  const runtime = await detectRuntime();
  const { cert, key } = await throwAwayCertificate();
  const common = { alpn: [], groups: [], keepsNothing: false };
  const listener = await runtime.listen(
    { hostname: "127.0.0.1", port: 0 },
    { ...common, certificates: [{ cert, key }], clientCa: undefined },
    () => server,
    () => assert.fail("accept failed"),
  );
  const names = { serverName: "localhost", ca: cert, certificate: undefined };
  await runtime.connect(listener.address, { ...common, ...names }, client);
  return {
    receives,
    async [Symbol.asyncDispose]() {
      if (receive !== undefined) handles.receive = receive;
      (await client.open.promise).destroy();
      await Promise.all([client.closed.promise, server.closed.promise]);
      await listener.close();
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(1);
}

describe("TLS on Deno, receiving", () => {
  it("gives TLS what came since the last time, from the window", () => {
    const fake = new Fake();
    assert.ok(fake.receive());
    assert.equal(fake.window?.length, 65_536);
    fake.came(10);
    fake.came(65_536);
    assert.deepEqual(fake.given, [10, 65_536]);
    assert.deepEqual(fake.stock, []);
  });

  it("reads again what was being read when it began", () => {
    const fake = new Fake();
    fake.receive();
    assert.deepEqual(fake.calls, ["resume", "stop", "start"]);
  });

  it("reads into a wide window from the receive on that leaves room for it, and back", () => {
    const fake = new Fake();
    fake.receive();
    fake.room = 262_144;
    fake.came(1);
    assert.equal(fake.window?.length, 262_144);
    fake.came(200_000);
    assert.deepEqual(fake.given, [1, 200_000]);
    fake.room = 65_536;
    fake.came(1);
    assert.equal(fake.window?.length, 65_536);
  });

  it("shows plaintext in the other window", () => {
    const fake = new Fake();
    fake.receive();
    assert.equal(fake.hidden("kBuffer"), fake.plain);
    fake.plain!.set([1, 2, 3]);
    (fake.hidden("kBufferCb") as (n: number) => void)(3);
    assert.deepEqual(fake.taken.map((bytes) => [...bytes]), [[1, 2, 3]]);
  });

  it("leaves an end, a failure and bytes in a buffer of Deno's to Deno", () => {
    const fake = new Fake();
    fake.receive();
    const later: unknown[] = [];
    fake.came(0);
    fake.below["onread"] = (bytes: unknown) => void later.push(bytes); // TLS was given the handle
    const bytes = new ArrayBuffer(8);
    fake.came(8, bytes);
    fake.came(0);
    fake.came(5);
    assert.deepEqual(fake.stock, [undefined]);
    assert.deepEqual(later, [bytes, undefined]);
    assert.deepEqual(fake.given, [5]);
  });

  for (const member of MEMBERS) {
    it(`does nothing where there is no ${member}`, () => {
      const fake = new Fake(member);
      assert.equal(fake.receive(), false);
      fake.came(3, "bytes");
      assert.deepEqual(fake.stock, ["bytes"]);
      assert.deepEqual([fake.window, fake.plain, fake.calls], [undefined, undefined, []]);
    });
  }

  it("is how it is on this Deno, as server and as client", {
    skip: runtimeName() !== "deno" && "it is about Deno",
  }, async () => {
    const [server, client] = [new Looking(), new Looking()];
    await using _seam = await seam(server, client);
    for (const end of [server, client]) (await end.open.promise).write(new Uint8Array(100));
    await until(() => server.bytes === 100 && client.bytes === 100);
    assert.deepEqual([server.owned, client.owned], [0, 0], LACK);
  });

  it("takes all that a receive has brought at once", {
    skip: runtimeName() !== "deno" && "it is about Deno",
  }, async () => {
    const [server, client] = [new Looking(262_144), new Looking()];
    await using given = await seam(server, client);
    const socket = await client.open.promise;
    const before = given.receives.length; // of handshakes
    for (let sent = 0; sent < 64; sent++) {
      await until(() => socket.write(new Uint8Array(65_536)) > 0);
    }
    await until(() => server.bytes === 64 * 65_536);
    const receives = given.receives.slice(before);
    assert.ok(server.calls <= receives.length, `${server.calls} calls for ${receives.length}`);
    assert.ok(Math.max(...server.sizes) > 81_920, "no receive was wide");
    assert.ok(receives.every((memory) => memory === 262_144), LACK);
  });

  it("goes on where more came behind what it was held for, and is wanted", () => {
    const held: boolean[] = [];
    const looking = new Looking();
    let take: (bytes: Uint8Array) => void = () => assert.fail("it did not ask for bytes");
    const socket = new NodeSocket(new NetSocket(), looking, undefined, undefined, {
      flow(_room, give) {
        take = give;
        return true;
      },
      hold: (on) => void held.push(on),
    });
    socket.flow();
    looking.answers.push(false, false, true, true);
    for (let n = 0; n < 4; n++) take(new Uint8Array(1));
    assert.deepEqual(held, [true, true, false]);
    assert.equal(looking.owned, 0);
  });

  it("may end the connection from within", async () => {
    const ended = deferred<void>();
    await pair(async (connection) => {
      connection.attach(() => ({
        push() {
          connection.abort();
          return { retained: 0, owed: 0, completed: 0, pause: false };
        },
        end() {},
        closed: () => ended.resolve(),
      }));
      await connection.closed;
    }, async (connection) => {
      await connection.write(new Uint8Array(300_000)).catch(() => {});
      await ended.promise;
    });
  });
});

/** A connection with TLS, served and used. */
async function pair(
  serve: (connection: Connection) => Promise<void>,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const certificate = await throwAwayCertificate();
  await using server = new Transport({ backend: "tls", tls: { enabled: true } });
  const listener = await server.listen({
    address: "tls://127.0.0.1:0",
    tls: () => certificate,
    onConnection: serve,
  });
  await using client = new Transport();
  const connection = await client.dial(listener.address, { tls: { ca: certificate.cert } });
  try {
    await use(connection);
  } finally {
    connection.abort();
  }
}
