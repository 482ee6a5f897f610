/**
 * The native TLS of Deno and Bun, as an end of the TLS benchmark. It lets TLS 1.2 in.
 *
 * @module
 */

import { ALPN, block, greetingBlock, HOST, LARGE_BLOCK, type Way } from "./roles.ts";

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
