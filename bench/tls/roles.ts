/**
 * What an end of TLS does in the benchmark, over this library and over the runtime's own ways.
 *
 * A server writes a greeting, of a byte at least, with which one of Bun sends its tickets; takes bytes until the
 * client ends, and then ends too. A client sends, and ends once it has the greeting. All speak ALPN `oap/1`.
 *
 * @module
 */

import type { AddressInfo } from "node:net";
import { connect as connectTls, createServer as createTls, type TLSSocket } from "node:tls";
import { noise } from "../data.ts";
import { type Connection, Transport } from "../../mod.ts";
import { runtimeName } from "../../test/runtimes.ts";

/** Certificate and key of the server; the certificate is its own root. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What a client does. */
export interface Sending {
  readonly bytes: number;
  /** Bytes of each write. */
  readonly write: number;
  /** Bytes it is greeted with. */
  readonly greeting: number;
}

/** One way to speak TLS. */
export interface Way {
  /** `ours`, `node:tls by hand`, `node:tls`, or the name of the runtime's native API. */
  readonly name: string;
  /** What it lacks of what is configured; it is what a goal is set against where it lacks nothing. */
  readonly lacks?: string;
  /** Listens, and greets with so many bytes; gives its port. */
  serve(pair: Pair, greeting: number): Promise<number>;
  /** Dials, sends, and waits for the greeting and the end of the other. */
  send(port: number, cert: string, work: Sending): Promise<void>;
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
/** What a greeting of so many bytes is written in. */
export const greetingBlock = (bytes: number): Uint8Array => block(Math.min(bytes, LARGE_BLOCK));

/** This library. */
export function ours(): Way {
  const limits = { max_conns: 4_096, per_peer: { max_conns: 0 }, dial_timeout: "30s" };
  const server = new Transport({ ...limits, backend: "tls", tls: { enabled: true } });
  const client = new Transport(limits);
  const dial = (port: number, cert: string): Promise<Connection> =>
    client.dial(`tls://${HOST}:${port}`, { tls: { ca: cert } });
  /** As `data` events of the others: bytes by a callback, till so many are there or the end. */
  const take = (connection: Connection, bytes = Infinity): Promise<void> =>
    new Promise((resolve) => {
      let taken = 0;
      connection.attach(() => ({
        push({ length }) {
          taken += length;
          if (taken >= bytes) resolve();
          return { retained: 0, owed: 0, completed: 1, pause: false };
        },
        end: resolve,
        closed: () => resolve(),
      }));
    });
  return {
    name: "ours",
    async serve(pair, greeting) {
      const listener = await server.listen({
        address: `tls://${HOST}:0`,
        tls: () => pair,
        async onConnection(connection) {
          const piece = greetingBlock(greeting);
          for (let sent = 0; sent < greeting; sent += piece.length) await connection.write(piece);
          await take(connection);
        },
      });
      return listener.address.port ?? 0;
    },
    async send(port, cert, { bytes, write, greeting }) {
      const piece = block(write);
      const connection = await dial(port, cert);
      for (let sent = 0; sent < bytes; sent += piece.length) await connection.write(piece);
      if (greeting > 1) await take(connection, greeting);
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

/** Writes a block until so many bytes are written, one write at a time. */
export function writeAll(
  socket: TLSSocket,
  piece: Uint8Array,
  bytes: number,
  done: () => void = () => {},
): void {
  let sent = 0;
  const next = (): void => {
    if (sent >= bytes) return done();
    sent += piece.length;
    socket.write(piece, next);
  };
  next();
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
    serve: (pair, greeting) =>
      new Promise((resolve) => {
        const server = createTls({ ...pair, ALPNProtocols: ALPN, minVersion: "TLSv1.3" });
        server.on("secureConnection", (socket) => {
          socket.on("error", () => {}).on("data", () => {});
          writeAll(socket, greetingBlock(greeting), greeting);
          socket.on("end", () => socket.end());
        }).on("tlsClientError", () => {});
        server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
      }),
    send: (port, cert, { bytes, write, greeting }) =>
      new Promise((resolve, reject) => {
        const socket = open(port, cert);
        let parts = 2;
        const done = (): void => void (--parts === 0 && socket.end());
        socket.on("secureConnect", () => writeAll(socket, block(write), bytes, done));
        let taken = 0;
        socket.on("data", ({ length }) => {
          taken += length;
          if (taken === greeting) done();
        });
        socket.on("error", reject).on("close", () => resolve());
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
  const buffer = new Uint8Array(LARGE_BLOCK);
  const drain = async (conn: DenoConn): Promise<void> => {
    while (await conn.read(buffer) !== null);
  };
  const write = async (conn: DenoConn, piece: Uint8Array, bytes: number): Promise<void> => {
    for (let sent = 0; sent < bytes; sent += piece.length) {
      for (let at = 0; at < piece.length;) at += await conn.write(piece.subarray(at));
    }
  };
  return {
    name: "Deno native",
    lacks: LACKS_OF_NATIVE,
    serve(pair, greeting) {
      const listener = listenTls({ hostname: HOST, port: 0, ...pair, alpnProtocols: ALPN });
      void (async () => {
        for await (const conn of listener) {
          write(conn, greetingBlock(greeting), greeting)
            .then(() => drain(conn)).then(() => conn.close(), () => {});
        }
      })();
      return Promise.resolve(listener.addr.port);
    },
    async send(port, cert, work) {
      const conn = await open(port, cert);
      await write(conn, block(work.write), work.bytes);
      for (let taken = 0; taken < work.greeting;) taken += await conn.read(buffer) ?? Infinity;
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
  data: Filling;
}
/** What a socket of Bun is to write, and has: some bytes in all, blocks done, bytes of this block. */
interface Filling {
  readonly piece: Uint8Array;
  readonly bytes: number;
  sent: number;
  at: number;
  /** Bytes that are yet to come. */
  owed: number;
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
  const filling = (piece: Uint8Array, bytes: number, owed: number): Filling => {
    return { piece, bytes, sent: 0, at: 0, owed };
  };
  const fill = (raw: BunSocket): void => {
    const { piece, bytes } = raw.data;
    while (raw.data.sent < bytes) {
      raw.data.at += raw.write(piece, raw.data.at, piece.length - raw.data.at);
      if (raw.data.at < piece.length) return;
      raw.data.at = 0;
      raw.data.sent += piece.length;
    }
    if (raw.data.owed <= 0) raw.end();
  };
  return {
    name: "Bun native",
    lacks: LACKS_OF_NATIVE,
    serve(pair, greeting) {
      const socket = {
        handshake(raw: BunSocket) {
          raw.data = filling(greetingBlock(greeting), greeting, Infinity);
          fill(raw);
        },
        drain: fill,
        data() {},
        end: (raw: BunSocket) => raw.end(),
        error() {},
      };
      const tls = { ...pair, ALPNProtocols: protocols };
      return Promise.resolve(listen({ hostname: HOST, port: 0, tls, socket }).port);
    },
    send: (port, cert, { bytes, write, greeting }) =>
      new Promise((resolve, reject) => {
        const socket = {
          handshake: fill,
          drain: fill,
          data(raw: BunSocket, { length }: Uint8Array) {
            raw.data.owed -= length;
            fill(raw);
          },
          error: (_raw: BunSocket, cause: unknown) => reject(cause),
          close: () => resolve(),
        };
        const data = filling(block(write), bytes, greeting);
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
