/**
 * `node:tls` the way its documentation shows, as an end of the TLS benchmark.
 *
 * @module
 */

import type { AddressInfo } from "node:net";
import {
  connect as connectTls,
  type ConnectionOptions,
  createServer as createTls,
  type TLSSocket,
} from "node:tls";
import { runtimeName } from "../../test/runtimes.ts";
import { ALPN, block, greetingBlock, HOST, type Way } from "./roles.ts";

/** See the module. */
export function nodeTls(): Way {
  const open = (port: number, cert: string): TLSSocket => connectTls(optionsOf(port, cert));
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

function optionsOf(port: number, cert: string): ConnectionOptions {
  return {
    host: HOST,
    port,
    ca: cert,
    ALPNProtocols: ALPN,
    minVersion: "TLSv1.3",
    servername: "localhost",
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

/** Handshakes of a client that keeps its session; those that did not resume are left out. */
export function resumingHandshakes(port: number, cert: string, count: number): Promise<number[]> {
  let session: Uint8Array | undefined;
  const once = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      const socket = connectTls({
        ...optionsOf(port, cert),
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
