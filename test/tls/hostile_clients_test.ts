/** What strangers send to a TLS listener: each is refused for the right reason, once, and leaves nothing. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { TransportConfig } from "../../mod.ts";
import {
  type IssueOptions,
  throwAwayAuthority,
  throwAwayCertificate,
} from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { leaksSince, takeCensus } from "../leaks.ts";
import { Ends, testAuthority } from "./ends.ts";
import { clientHello, extension, type HelloParts, records, TLS12, TLS13 } from "./hello.ts";

type Attack = (socket: Socket) => void | Promise<void>;
type Kind = "tls" | "io_closed" | "timeout";

const FULL = process.env["RON_FULL"] === "1";

/** A time that a handshake on a busy machine does not need, and a silent one is cut after. */
const PATIENCE: TransportConfig = { handshake_timeout: "400ms" };

const send = (bytes: Uint8Array): Attack => (socket) => void socket.write(bytes);
const text = (line: string): Attack => send(new TextEncoder().encode(line));
const hello = (parts: HelloParts): Attack => send(records(clientHello(parts)));
const bytes = (...parts: number[]): Attack => send(Uint8Array.from(parts));
const then = (...steps: Attack[]): Attack => async (socket) => {
  for (const step of steps) await step(socket);
};
const end: Attack = (socket) => void socket.end();
const reset: Attack = async (socket) => {
  await delay(10);
  socket.resetAndDestroy();
};
const answered: Attack = (socket) =>
  new Promise((resolve) => {
    const done = (): void => resolve();
    socket.once("data", done).once("close", done);
  });

/** A raw connection that lasts until the server has ended it, or until the attack has. */
async function attack(port: number, run: Attack): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.on("error", () => {});
  await new Promise<void>((resolve) =>
    socket.once("connect", resolve).once("close", () => resolve())
  );
  socket.resume();
  await run(socket);
  if (!socket.destroyed) {
    await new Promise<void>((resolve) => {
      const done = (): void => resolve();
      socket.once("end", done).once("close", done);
      if (socket.readableEnded) done();
    });
  }
  socket.destroy();
}

const INJECTED = Uint8Array.from([0x61, 0x00, 0x2e, 0x0d, 0x0a, 0xff]);
const RANDOM = crypto.getRandomValues(new Uint8Array(2_000));
RANDOM[0] = 0x99;
RANDOM[2] = 0; // with 1, OpenSSL takes it for the length of an SSLv2 hello, and waits for the rest

const BEFORE: Readonly<Record<string, readonly [Attack, ...Kind[]]>> = {
  "random bytes": [send(RANDOM), "tls"],
  "one random byte, then the end": [then(bytes(0x99), end), "io_closed", "tls"],
  "zeros": [send(new Uint8Array(4_096)), "tls"],
  "plain HTTP": [text("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "tls"],
  "an SSH greeting": [text("SSH-2.0-OpenSSH_9.2\r\n"), "tls"],
  "an SSLv2 hello": [
    bytes(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, ...RANDOM.slice(0, 37)),
    "tls",
  ],
  "a hello of TLS 1.2 only": [hello({ versions: [TLS12], suites: [0xc02b, 0xc02f] }), "tls"],
  "a hello without versions": [hello({ versions: [], suites: [0xc02b] }), "tls"],
  "a hello of SSL 3.0": [hello({ versions: [0x0300] }), "tls"],
  "a hello of a TLS to come": [hello({ versions: [0x0399] }), "tls"],
  "a hello without cipher suites": [hello({ suites: [] }), "tls"],
  "a hello with unknown cipher suites": [hello({ suites: [0x9999] }), "tls"],
  "a hello with unknown groups": [hello({ groups: [0x9999], shares: [] }), "tls"],
  "a hello without groups": [hello({ groups: [], shares: [] }), "tls"],
  "a hello with an extension twice": [hello({ extra: [extension(10, [0, 2, 0, 0x1d])] }), "tls"],
  "a hello whose extension is too long for it": [
    hello({ extra: [Uint8Array.from([0x99, 0x99, 0xff, 0xff, 1])] }),
    "tls",
  ],
  "a hello of another protocol": [hello({ alpn: ["h2"] }), "tls"],
  "a hello with an empty protocol": [hello({ alpn: [""] }), "tls"],
  "a hello of 64 KiB": [hello({ padding: 65_000 }), "tls", "timeout"],
  "a hello that claims 16 MiB": [
    send(records(Uint8Array.from([1, 0xff, 0xff, 0xff, ...RANDOM.slice(0, 1_000)]))),
    "tls",
  ],
  "a hello of another type": [send(records(Uint8Array.from([2, 0, 0, 2, 3, 3]))), "tls"],
  "a record of 65535 bytes": [bytes(22, 3, 1, 0xff, 0xff, ...RANDOM), "tls"],
  "a record of an unknown type": [bytes(99, 3, 1, 0, 1, 0), "tls"],
  "a heartbeat": [bytes(24, 3, 1, 0, 3, 1, 0x40, 0), "tls"],
  "application data": [bytes(23, 3, 3, 0, 5, 1, 2, 3, 4, 5), "tls"],
  "a change of cipher": [bytes(20, 3, 3, 0, 1, 1, ...RANDOM.slice(0, 100)), "tls"],
  "a fatal alert": [bytes(21, 3, 3, 0, 2, 2, 40), "tls"],
  "a closing alert, then the end": [then(bytes(21, 3, 3, 0, 2, 1, 0), end), "io_closed", "tls"],
  "the end at once": [end, "io_closed"],
  "a reset at once": [reset, "io_closed"],
  "a hello, then a reset": [then(hello({}), answered, reset), "io_closed"],
  "a hello, then the end": [then(hello({}), answered, end), "io_closed"],
  "a hello, then plain text": [then(hello({}), answered, text("GET / HTTP/1.1\r\n\r\n")), "tls"],
  "a hello, then random bytes as a record": [
    then(hello({}), answered, bytes(23, 3, 3, 0, 64, ...RANDOM.slice(0, 64))),
    "tls",
  ],
  "a hello, then another": [then(hello({}), answered, hello({})), "tls"],
  "a hello, then silence": [then(hello({}), answered), "timeout"],
  "silence": [() => {}, "timeout"],
  "half a hello, then silence": [send(records(clientHello()).subarray(0, 100)), "timeout"],
  "a hello that drips": [
    async (socket) => {
      for (const byte of records(clientHello())) {
        if (socket.destroyed || socket.readableEnded) return;
        socket.write(Uint8Array.of(byte));
        await delay(20);
      }
    },
    "timeout",
  ],
};

describe("tls: hostile clients, before the handshake is done", () => {
  for (const [what, [run, ...kinds]] of Object.entries(BEFORE)) {
    it(what, { timeout: 10_000 }, async () => {
      await using ends = await Ends.open({ server: PATIENCE });
      await attack(ends.port, run);
      await ends.until(() => ends.closed.length > 0);
      await once(ends, kinds);
    });
  }

  it("a name with control characters, or too long, gets the first certificate or a refusal", async () => {
    const ca = await testAuthority();
    const pairs = [await ca.issue(), await ca.issue({ names: ["two.test"] })];
    for (const serverName of [INJECTED, new Uint8Array(300).fill(0x61), new Uint8Array(0)]) {
      await using ends = await Ends.open({ server: PATIENCE, listen: { tls: () => pairs } });
      await attack(ends.port, then(hello({ serverName }), end));
      await ends.until(() => ends.closed.length > 0);
      assert.equal(ends.accepted.length, 0);
      assert.equal(ends.closed.length, 1);
    }
  });

  it("empty records without end are cut by the deadline at the latest", async () => {
    await using ends = await Ends.open({ server: PATIENCE });
    await attack(ends.port, async (socket) => {
      const flood = new Uint8Array(5 * 1_000);
      for (let at = 0; at < flood.length; at += 5) flood.set([22, 3, 1, 0, 0], at);
      for (let i = 0; i < 40 && !socket.destroyed && !socket.readableEnded; i++) {
        socket.write(flood);
        await delay(20);
      }
    });
    await ends.until(() => ends.closed.length > 0);
    assert.ok(["tls", "timeout"].includes(ends.closed[0]!.reason.kind));
    assert.equal(ends.closed.length, 1);
  });

  it(
    "a hello cut at every byte is an end out of turn, each once",
    { timeout: 120_000 },
    async () => {
      await using ends = await Ends.open({
        server: { max_conns: 4_096, per_peer: { max_conns: 0 } },
      });
      const whole = records(clientHello({ serverName: "localhost" }));
      for (let from = 1; from < whole.length; from += 32) {
        const cuts = Array.from({ length: Math.min(32, whole.length - from) }, (_, i) => from + i);
        await Promise.all(
          cuts.map((cut) => attack(ends.port, then(send(whole.subarray(0, cut)), end))),
        );
      }
      await ends.until(() => ends.closed.length === whole.length - 1);
      const { ioClosed, rejected } = ends.server.counters();
      assert.equal(ioClosed, whole.length - 1);
      assert.equal(rejected.tls, 0);
      assert.equal(ends.accepted.length, 0);
    },
  );
});

const DAY = 86_400_000;
const CLIENTS: Readonly<Record<string, (() => Promise<ConnectionOptions>) | undefined>> = {
  "no certificate": () => Promise.resolve({}),
  "an expired certificate": () =>
    issued({ notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) }),
  "a certificate that is not valid yet": () =>
    issued({ notBefore: new Date(Date.now() + DAY / 2) }),
  "a certificate of another authority": async () =>
    await (await throwAwayAuthority()).issue({ use: "client", names: [] }),
  "a self-signed certificate": () => throwAwayCertificate(),
  "a certificate signed by one that may not sign": async () => {
    const { certify } = await import("../../src/testing/x509.ts");
    const validity = {
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
    };
    const leaf = await certify({ subject: "no authority", names: [], use: "client", ...validity });
    return await certify({ subject: "below", names: [], use: "client", ...validity }, leaf);
  },
  "TLS 1.2": async () => ({ ...await issued({}), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }),
};

async function issued(options: IssueOptions): Promise<ConnectionOptions> {
  return await (await testAuthority()).issue({ use: "client", names: [], ...options });
}

describe("tls: hostile clients, with certificates", () => {
  for (const [what, options] of Object.entries(CLIENTS)) {
    it(what, { timeout: 10_000 }, async () => {
      const ca = await testAuthority();
      const tls = { material: await ca.issue(), ca: ca.cert };
      await using ends = await Ends.open({ listen: { tls } });
      const { cert, key, ...rest } = await options!();
      const pair = cert === undefined ? {} : { cert, key: key as string };
      const socket = secure(ends.port, { ca: ca.cert, ...pair, ...rest });
      await ends.until(() => ends.closed.length > 0);
      socket.destroy();
      await once(ends, ["tls"]);
    });
  }
});

function secure(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ALPNProtocols: ["oap/1"],
    minVersion: "TLSv1.3",
    ...options,
  });
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

const AFTER: Readonly<Record<string, readonly [Attack, readonly Kind[]]>> = {
  "plain text": [text(`GET /${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`), ["tls"]],
  "a record that does not decrypt": [bytes(23, 3, 3, 0, 64, ...RANDOM.slice(0, 64)), ["tls"]],
  "a renegotiation in plain": [(socket) => hello({ versions: [TLS13] })(socket), ["tls"]],
  "a record above the limit": [
    then(bytes(23, 3, 3, 0xff, 0xff), send(new Uint8Array(70_000))),
    ["tls"],
  ],
  "an alert in plain": [bytes(21, 3, 3, 0, 2, 2, 0), ["tls"]],
  "the end without close_notify": [end, ["io_closed"]],
  "half a record, then the end": [then(bytes(23, 3, 3, 0, 64, 1, 2, 3), end), ["io_closed", "tls"]],
  "a reset": [reset, ["io_closed"]],
};

describe("tls: hostile clients, after the handshake", () => {
  for (const [what, [run, kinds]] of Object.entries(AFTER)) {
    it(what, { timeout: 10_000 }, async () => {
      await using ends = await Ends.open({ server: { read_timeout: "3s" } });
      const { cert } = await testAuthority();
      const raw = connect({ host: "127.0.0.1", port: ends.port, allowHalfOpen: true });
      raw.on("error", () => {});
      // TLS over a pair of our own, so that the bytes below it can be forged
      const { tunnel, detach } = await tunnelOver(raw);
      const socket = secure(0, { socket: tunnel, ca: cert });
      await new Promise<void>((resolve, reject) =>
        socket.once("secureConnect", resolve).once("error", reject)
      );
      const far = await ends.accept();
      const reading = far.read(new Uint8Array(1)).then(() => undefined, (error) => error);
      detach();
      await run(raw);
      await ends.until(() => ends.closed.length > 0);
      assert.ok(kinds.includes(ends.closed[0]!.reason.kind as Kind), ends.closed[0]!.reason.kind);
      await reading;
      raw.destroy();
      socket.destroy();
      assert.equal(ends.closed.length, 1);
    });
  }
});

describe("tls: many bad handshakes", () => {
  const many = FULL ? 10_000 : 300;
  it(`${many} leave no descriptor behind`, { timeout: 600_000 }, async () => {
    await using ends = await Ends.open({
      server: { max_conns: 4_096, per_peer: { max_conns: 0 }, ...PATIENCE },
    });
    const kinds: readonly Attack[] = [
      text("GET / HTTP/1.1\r\n\r\n"),
      then(send(records(clientHello()).subarray(0, 60)), end),
      hello({ versions: [TLS12], suites: [0xc02b] }),
      hello({ alpn: ["h2"] }),
      then(hello({}), answered, reset),
      send(RANDOM),
      reset,
    ];
    await attack(ends.port, kinds[0]!);
    const before = takeCensus();
    for (let i = 1; i < many; i += 25) {
      const batch = Math.min(25, many - i);
      await Promise.all(
        Array.from({ length: batch }, (_, n) => attack(ends.port, kinds[(i + n) % kinds.length]!)),
      );
    }
    await ends.until(() => ends.closed.length === many);
    const sockets = (): string[] => leaksSince(before).filter((leak) => leak.startsWith("socket"));
    for (let i = 0; i < 50 && sockets().length > 0; i++) await delay(20);
    assert.deepEqual(sockets(), []);
    // a slot is given back once its socket has closed
    await ends.until(() => ends.server.counters().inflight === 0);
    const { rejected, ioClosed, accepts } = ends.server.counters();
    assert.equal(accepts, many);
    assert.equal(rejected.tls + ioClosed + rejected.timeout, many);
    // and it still serves
    const near = await ends.dial();
    near.abort();
  });
});

/** One close event of one of these kinds, one count of it, nothing delivered. */
async function once(ends: Ends, kinds: readonly Kind[]): Promise<void> {
  await delay(5);
  const reason = ends.closed[0]?.reason;
  const kind = reason?.kind as Kind;
  assert.ok(kinds.includes(kind), `${kind}: ${reason?.error?.message}`);
  assert.equal(ends.closed.length, 1);
  assert.equal(ends.accepted.length, 0);
  const { rejected, ioClosed, inflight } = ends.server.counters();
  assert.equal(rejected.tls, kind === "tls" ? 1 : 0);
  assert.equal(rejected.timeout, kind === "timeout" ? 1 : 0);
  assert.equal(ioClosed, kind === "io_closed" ? 1 : 0);
  assert.ok(inflight <= 1);
}

/** A loopback pair in front of `raw` that relays until it is detached. */
async function tunnelOver(raw: Socket): Promise<{ tunnel: Socket; detach: () => void }> {
  const { createServer } = await import("node:net");
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const tunnel = connect({ host: "127.0.0.1", port });
  tunnel.on("error", () => {});
  const inner = await accepted;
  server.close();
  inner.on("error", () => {});
  const up = (bytes: Uint8Array): void => void raw.write(bytes);
  const down = (bytes: Uint8Array): void => void inner.write(bytes);
  inner.on("data", up);
  raw.on("data", down);
  raw.on("close", () => inner.destroy());
  return {
    tunnel,
    detach() {
      inner.off("data", up).off("end", up);
      raw.off("data", down);
      inner.on("data", () => {});
      raw.on("data", () => {});
      tunnel.on("close", () => inner.destroy());
    },
  };
}
