/**
 * What an end of TLS does in the benchmark, over this library and over the runtime's own ways.
 *
 * A sink writes a byte, with which a server of Bun sends its tickets, takes bytes until the client ends, and
 * then ends too. All speak ALPN `oap/1`.
 *
 * @module
 */

import type { AddressInfo } from "node:net";
import { connect as connectTls, createServer as createTls } from "node:tls";
import { noise } from "../data.ts";
import { type Connection, Transport } from "../../mod.ts";
import { runtimeName } from "../../test/runtimes.ts";

/** Certificate and key of the server; the certificate is its own root. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** One way to speak TLS. */
export interface Way {
  /** `ours`, `node:tls by hand`, `node:tls`, or the name of the runtime's native API. */
  readonly name: string;
  /** What it lacks of what is configured; it is what a goal is set against where it lacks nothing. */
  readonly lacks?: string;
  /** Listens; gives its port. */
  sink(pair: Pair): Promise<number>;
  /** Dials, sends so much in writes of a size, and waits for the end of the other. */
  send(port: number, cert: string, bytes: number, write: number): Promise<void>;
  /** Milliseconds from the dial to a usable connection. */
  handshake(port: number, cert: string): Promise<number>;
  /** The same for each of so many that take up the session of the one before, where it can. */
  resumed?(port: number, cert: string, count: number): Promise<number[]>;
}

/** Where all listen. */
export const HOST = "127.0.0.1";
/** What bulk is sent in. */
export const LARGE_BLOCK = 262_144;
/** What is sent before it. */
export const SMALL_BLOCK = 65_536;
const NOISE = noise(LARGE_BLOCK);
/** So many bytes to send. */
export const block = (bytes: number): Uint8Array => NOISE.subarray(0, bytes);
/** What all speak. */
export const ALPN: string[] = ["oap/1"];
/** What a sink writes first. */
export const GREETING: Uint8Array = new Uint8Array(1);

/** This library. */
export function ours(): Way {
  const limits = { max_conns: 4_096, per_peer: { max_conns: 0 }, dial_timeout: "30s" };
  const server = new Transport({ ...limits, backend: "tls", tls: { enabled: true } });
  const client = new Transport(limits);
  const dial = (port: number, cert: string): Promise<Connection> =>
    client.dial(`tls://${HOST}:${port}`, { tls: { ca: cert } });
  return {
    name: "ours",
    async sink(pair) {
      const listener = await server.listen({
        address: `tls://${HOST}:0`,
        tls: () => pair,
        async onConnection(connection) {
          // as `data` events of the others: bytes by a callback
          await connection.write(GREETING);
          const ended = Promise.withResolvers<void>();
          connection.attach(() => ({
            push: () => ({ retained: 0, owed: 0, completed: 1, pause: false }),
            end: ended.resolve,
            closed: () => ended.resolve(),
          }));
          await ended.promise;
        },
      });
      return listener.address.port ?? 0;
    },
    async send(port, cert, bytes, write) {
      const piece = block(write);
      const connection = await dial(port, cert);
      for (let sent = 0; sent < bytes; sent += piece.length) await connection.write(piece);
      await connection.close();
    },
    async handshake(port, cert) {
      const start = performance.now();
      const connection = await dial(port, cert);
      const ms = performance.now() - start;
      connection.abort();
      return ms;
    },
    async resumed(port, cert, count) {
      const all: number[] = [];
      for (let i = 0; i <= count; i++) {
        const start = performance.now();
        const connection = await dial(port, cert);
        all.push(performance.now() - start);
        await connection.read(new Uint8Array(1));
        connection.abort();
      }
      return runtimeName() === "deno" ? [] : all.slice(1); // Deno does not
    },
  };
}

/** `node:tls`, the way its documentation shows. */
export function nodeTls(): Way {
  const open = (port: number, cert: string): ReturnType<typeof connectTls> =>
    connectTls({
      host: HOST,
      port,
      ca: cert,
      ALPNProtocols: ALPN,
      minVersion: "TLSv1.3",
      servername: "localhost",
    });
  return {
    name: "node:tls",
    lacks: "handshakes before anyone is let in; an end and a cut look alike; no deadlines",
    sink: (pair) =>
      new Promise((resolve) => {
        const server = createTls({ ...pair, ALPNProtocols: ALPN, minVersion: "TLSv1.3" });
        server.on("secureConnection", (socket) => {
          socket.on("error", () => {}).on("data", () => {}).write(GREETING);
          socket.on("end", () => socket.end());
        }).on("tlsClientError", () => {});
        server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
      }),
    send: (port, cert, bytes, write) =>
      new Promise((resolve, reject) => {
        const piece = block(write);
        const socket = open(port, cert);
        let sent = 0;
        const next = (): void => {
          if (sent >= bytes) return void socket.end();
          sent += piece.length;
          socket.write(piece, next);
        };
        socket.on("secureConnect", next).on("data", () => {}).on("error", reject);
        socket.on("close", () => resolve());
      }),
    resumed: (port, cert, count) =>
      runtimeName() === "deno" ? Promise.resolve([]) : resumingHandshakes(port, cert, count),
    handshake: (port, cert) =>
      new Promise((resolve, reject) => {
        const start = performance.now();
        const socket = open(port, cert);
        socket.on("error", reject).on("secureConnect", () => {
          const ms = performance.now() - start;
          socket.on("error", () => {});
          socket.destroy();
          resolve(ms);
        });
      }),
  };
}

const LACKS_OF_NATIVE = "lets TLS 1.2 in; no client certificates or no rotation";

interface DenoConn {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
  closeWrite(): Promise<void>;
  handshake(): Promise<unknown>;
  setNoDelay(on?: boolean): void;
}
interface DenoTls {
  listenTls(options: object): AsyncIterable<DenoConn> & { addr: { port: number } };
  connect(options: object): Promise<DenoConn>;
  startTls(conn: DenoConn, options: object): Promise<DenoConn>;
}

/** `Deno.listenTls`, and `Deno.startTls` on a connection without delay. TLS 1.2 is let in. */
export function denoNative(): Way {
  const { listenTls, connect, startTls } = (globalThis as unknown as { Deno: DenoTls }).Deno;
  const open = async (port: number, cert: string): Promise<DenoConn> => {
    const raw = await connect({ hostname: HOST, port });
    raw.setNoDelay(true);
    const options = { hostname: "localhost", caCerts: [cert], alpnProtocols: ALPN };
    const secure = await startTls(raw, options);
    await secure.handshake();
    return secure;
  };
  const drain = async (conn: DenoConn): Promise<void> => {
    const buffer = new Uint8Array(262_144);
    while (await conn.read(buffer) !== null);
  };
  return {
    name: "Deno native",
    lacks: LACKS_OF_NATIVE,
    sink(pair) {
      const listener = listenTls({ hostname: HOST, port: 0, ...pair, alpnProtocols: ALPN });
      void (async () => {
        for await (const conn of listener) {
          conn.write(GREETING).then(() => drain(conn)).then(() => conn.close(), () => {});
        }
      })();
      return Promise.resolve(listener.addr.port);
    },
    async send(port, cert, bytes, write) {
      const piece = block(write);
      const conn = await open(port, cert);
      for (let sent = 0; sent < bytes; sent += piece.length) {
        for (let at = 0; at < piece.length;) at += await conn.write(piece.subarray(at));
      }
      await conn.closeWrite();
      await drain(conn).catch(() => {});
      conn.close();
    },
    async handshake(port, cert) {
      const start = performance.now();
      const conn = await open(port, cert);
      const ms = performance.now() - start;
      conn.close();
      return ms;
    },
  };
}

interface BunSocket {
  write(bytes: Uint8Array, offset: number, length: number): number;
  end(): void;
  terminate(): void;
  data: { at: number; sent: number };
}
interface BunTls {
  listen(options: object): { port: number };
  connect(options: object): Promise<unknown>;
}

/** `Bun.listen` and `Bun.connect`. TLS 1.2 is let in, and certificates cannot change. */
export function bunNative(): Way {
  const { listen, connect } = (globalThis as unknown as { Bun: BunTls }).Bun;
  const protocols = new Uint8Array([5, ...new TextEncoder().encode("oap/1")]);
  const tlsOf = (cert: string): object => ({
    ca: cert,
    serverName: "localhost",
    ALPNProtocols: protocols,
  });
  return {
    name: "Bun native",
    lacks: LACKS_OF_NATIVE,
    sink(pair) {
      const socket = {
        handshake: (raw: BunSocket) => void raw.write(GREETING, 0, 1),
        data() {},
        end: (raw: BunSocket) => raw.end(),
        error() {},
      };
      const tls = { ...pair, ALPNProtocols: protocols };
      return Promise.resolve(listen({ hostname: HOST, port: 0, tls, socket }).port);
    },
    send: (port, cert, bytes, write) =>
      new Promise((resolve, reject) => {
        const piece = block(write);
        const fill = (raw: BunSocket): void => {
          while (raw.data.sent < bytes) {
            const n = raw.write(piece, raw.data.at, piece.length - raw.data.at);
            raw.data.at += n;
            if (raw.data.at < piece.length) return;
            raw.data.at = 0;
            raw.data.sent += piece.length;
          }
          raw.end();
        };
        const socket = {
          handshake: fill,
          drain: fill,
          data() {},
          error: (_raw: BunSocket, cause: unknown) => reject(cause),
          close: () => resolve(),
        };
        const data = { at: 0, sent: 0 };
        connect({ hostname: HOST, port, tls: tlsOf(cert), socket, data }).catch(reject);
      }),
    handshake: (port, cert) =>
      new Promise((resolve, reject) => {
        const start = performance.now();
        const socket = {
          handshake(raw: BunSocket) {
            const ms = performance.now() - start;
            raw.terminate();
            resolve(ms);
          },
          data() {},
          error: (_raw: BunSocket, cause: unknown) => reject(cause),
        };
        connect({ hostname: HOST, port, tls: tlsOf(cert), socket }).catch(reject);
      }),
  };
}

/** Handshakes of a client that keeps its session; those that did not resume are left out. */
export function resumingHandshakes(port: number, cert: string, count: number): Promise<number[]> {
  let session: Uint8Array | undefined;
  const once = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      const socket = connectTls({
        host: HOST,
        port,
        ca: cert,
        ALPNProtocols: ALPN,
        minVersion: "TLSv1.3",
        servername: "localhost",
        ...(session === undefined ? {} : { session: session as never }),
      });
      let ms: number | undefined;
      const given = session !== undefined;
      socket.on("session", (bytes: Uint8Array) => session = bytes);
      socket.on("error", reject).on("secureConnect", () => {
        ms = performance.now() - start;
        if (given && !socket.isSessionReused()) ms = undefined;
      });
      socket.on("data", () => {
        // the tickets came before it
        socket.on("error", () => {});
        socket.destroy();
        resolve(given ? ms : undefined);
      });
    });
  return (async () => {
    const all: number[] = [];
    for (let i = 0; i <= count; i++) {
      const ms = await once();
      if (ms !== undefined) all.push(ms);
    }
    return all;
  })();
}
