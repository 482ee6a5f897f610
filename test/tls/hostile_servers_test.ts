/** What a dial meets: servers that are not whom they say, speak something else, or nothing. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { createServer as createTls, type TlsOptions } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import { type DialOptions, Transport, TransportError } from "../../mod.ts";
import {
  type IssueOptions,
  throwAwayAuthority,
  throwAwayCertificate,
} from "../../src/testing/mod.ts";
import { certify } from "../../src/testing/x509.ts";
import { describe, it } from "../harness.ts";
import { testAuthority } from "./ends.ts";

const DAY = 86_400_000;

/** One dial to a server; what it failed with, and how it was counted. */
async function dialTo(
  serve: (socket: Socket) => void,
  options: DialOptions = {},
): Promise<{ error: TransportError; client: Transport }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await using client = new Transport({ dial_timeout: "500ms" });
  const { cert } = await testAuthority();
  const { tls, ...rest } = options;
  try {
    const error = await client.dial(`tls://127.0.0.1:${port}`, {
      tls: { ca: cert, serverName: "localhost", ...tls },
      ...rest,
    }).then((connection) => (connection.abort(), undefined), (error: unknown) => error);
    assert.ok(TransportError.is(error), `no error but ${String(error)}`);
    assert.equal(client.counters().dialsErr, 1);
    return { error, client };
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The slot is free once the descriptor is. */
async function released(client: Transport): Promise<void> {
  for (let i = 0; i < 100 && client.counters().inflight > 0; i++) await delay(10);
  assert.equal(client.counters().inflight, 0);
}

/** A real TLS server over admitted sockets. */
function tlsServer(options: TlsOptions): (socket: Socket) => void {
  const server = createTls({ ALPNProtocols: ["oap/1"], ...options });
  server.on("tlsClientError", () => {}).on("secureConnection", (secure) => {
    secure.on("error", () => {});
    secure.resume();
  });
  return (socket) => void server.emit("connection", socket);
}

const issue = async (options: IssueOptions = {}): Promise<TlsOptions> =>
  await (await testAuthority()).issue(options);

const IDENTITIES: Readonly<Record<string, () => Promise<TlsOptions>>> = {
  "an expired certificate": () =>
    issue({ notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) }),
  "a certificate that is not valid yet": () =>
    issue({ notBefore: new Date(Date.now() + DAY / 2), notAfter: new Date(Date.now() + DAY) }),
  "a certificate of another authority": async () => await (await throwAwayAuthority()).issue(),
  "a self-signed certificate": () => throwAwayCertificate(),
  "another name": () => issue({ names: ["other.test"] }),
  "no name but the common one": () => issue({ subject: "localhost", names: [] }),
  "a wildcard for another label": () => issue({ names: ["*.localhost"] }),
  "a certificate signed by one that may not sign": async () => {
    const validity = {
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
    };
    const { cert, key } = await issue();
    const privateKey = await crypto.subtle.importKey(
      "pkcs8",
      Uint8Array.from(atob(String(key).replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0)),
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["sign"],
    );
    const below = await certify(
      { subject: "below", names: ["localhost"], use: "server", ...validity },
      { subject: "ron-transport throw-away", privateKey },
    );
    return { cert: below.cert + String(cert), key: below.key };
  },
  "TLS 1.2 at most": async () => ({ ...await issue(), maxVersion: "TLSv1.2" }),
  "another protocol": async () => ({ ...await issue(), ALPNProtocols: ["h2"] }),
  "no protocol": async () => ({ ...await issue(), ALPNProtocols: [] }),
};

describe("tls: hostile servers", () => {
  for (const [what, options] of Object.entries(IDENTITIES)) {
    it(`a server with ${what} is refused as tls, once`, { timeout: 10_000 }, async () => {
      const { error, client } = await dialTo(tlsServer(await options()));
      assert.equal(error.kind, "tls", error.message);
      assert.equal(client.counters().rejected.tls, 1);
      await released(client);
    });
  }

  it("an address is verified as an address, not as a name", async () => {
    const server = tlsServer(await issue({ names: ["localhost"] }));
    const { error } = await dialTo(server, { tls: { serverName: "127.0.0.1" } });
    assert.equal(error.kind, "tls");
  });

  it("the environment does not switch verification off", async () => {
    const { default: process } = await import("node:process");
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const { error } = await dialTo(tlsServer(await throwAwayCertificate()));
      assert.equal(error.kind, "tls");
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });

  const bytes = (...parts: number[]): (socket: Socket) => void => (socket) => {
    socket.resume();
    socket.write(Uint8Array.from(parts));
  };
  const PEERS: Readonly<Record<string, readonly [(socket: Socket) => void, ...string[]]>> = {
    "answers in plain HTTP": [(socket) => {
      socket.resume();
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }, "tls"],
    "sends random bytes": [bytes(0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), "tls"],
    "sends a hello that is cut": [bytes(22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3, 1, 2, 3), "timeout"],
    "sends an alert": [bytes(21, 3, 3, 0, 2, 2, 40), "tls"],
    "sends a record above the limit": [
      bytes(22, 3, 3, 0xff, 0xff, ...new Array(100).fill(1)),
      "tls",
    ],
    "sends application data": [bytes(23, 3, 3, 0, 3, 1, 2, 3), "tls"],
    "claims a message of 16 MiB": [
      bytes(22, 3, 3, 0, 8, 2, 0xff, 0xff, 0xff, 3, 3, 1, 1),
      "tls",
      "timeout",
    ],
    "closes at once": [(socket) => socket.destroy(), "io_closed"],
    "ends at once": [(socket) => void socket.resume().end(), "io_closed"],
    "resets at once": [(socket) => void socket.resetAndDestroy(), "io_closed"],
    "says nothing": [(socket) => void socket.resume(), "timeout"],
    "drips": [
      (socket) => {
        socket.resume();
        const timer = setInterval(() => socket.write(Uint8Array.of(22)), 50);
        socket.on("close", () => clearInterval(timer));
      },
      "tls",
      "timeout",
    ],
  };
  for (const [what, [serve, ...kinds]] of Object.entries(PEERS)) {
    it(`a server that ${what} ends the dial with its kind, once`, { timeout: 10_000 }, async () => {
      const { error, client } = await dialTo(serve);
      assert.ok(kinds.includes(error.kind), `${error.kind}: ${error.message}`);
      const { rejected, ioClosed } = client.counters();
      assert.equal(rejected.tls + rejected.timeout + ioClosed, 1);
      await released(client);
    });
  }
});
