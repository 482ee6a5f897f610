/**
 * `node:tls` by hand: the shortest program that has what this library's ends of the benchmark have. TLS 1.3 only;
 * a peer is let in or not before its handshake; reading can be held back; a connection that is not usable in time,
 * or on which nothing moves, is given up; and an end that the peer has told within TLS is told from a FIN, which
 * anyone on the way can forge.
 *
 * For Deno and Bun. TLS lies on the runtime's own socket, bytes come by `data` events, and an end is judged when
 * it comes. Where nothing public tells one from the other, that is done as this library does; what this library
 * does for speed alone, receiving on Deno into memory that sockets share, is not in it.
 *
 * @module
 */

import { type AddressInfo, connect as connectNet, createServer, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { runtimeName } from "../../test/runtimes.ts";
import { writeAll } from "./plain.ts";
import { ALPN, block, greetingBlock, HOST, type Way } from "./roles.ts";

const MAX_CONNECTIONS = 4_096;
const HANDSHAKE_MS = 10_000;
const IDLE_MS = 60_000;

/** One connection: `onData` says whether it wants more now, and `onEnd` whether the peer has told its end. */
interface Receiver {
  onData(bytes: Uint8Array): boolean;
  onEnd(told: boolean): void;
}

/** What each runtime has for it: whether the end that comes now was told, and a switch for reading. */
interface Below {
  told(): boolean;
  hold(on: boolean): void;
}

interface Handle {
  receive(bytes: Uint8Array): void;
  readStart(): number;
  readStop(): number;
}

const handleOf = (socket: Socket): Handle => (socket as unknown as { _handle: Handle })._handle;

/** Deno gives TLS what the socket has received by a call; and loses the end of TLS that was paused. */
function onDeno(secure: TLSSocket, under: Socket): Below {
  const tls = handleOf(secure);
  const { receive } = tls;
  let taking = false;
  tls.receive = (bytes) => {
    taking = true;
    receive.call(tls, bytes);
    taking = false;
  };
  return {
    told: () => taking,
    hold: (on) => void (on ? handleOf(under).readStop() : handleOf(under).readStart()),
  };
}

/** Bun counts what the socket has received; behind a large read a FIN can come in the same turn. */
function onBun(secure: TLSSocket, under: Socket): Below {
  let [received, fresh, waits, held] = [under.bytesRead, false, false, false];
  Object.defineProperty(under, "bytesRead", {
    get: () => received,
    set(total: number) {
      const large = total - received >= 131_072;
      received = total;
      if (!fresh) setImmediate(() => fresh = false);
      fresh = true;
      if (!large || waits) return;
      waits = true;
      secure.pause();
      setImmediate(() => {
        waits = false;
        if (!held) secure.resume();
      });
    },
  });
  const hold = (on: boolean): void => {
    held = on;
    if (on) secure.pause();
    else if (!waits) secure.resume();
  };
  return { told: () => fresh, hold };
}

function receive(secure: TLSSocket, under: Socket, to: Receiver): void {
  const below = (runtimeName() === "deno" ? onDeno : onBun)(secure, under);
  const { push } = secure;
  let told = false;
  secure.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null) told = below.told();
    return push.call(secure, chunk, encoding);
  };
  const late = setTimeout(() => under.destroy(), HANDSHAKE_MS);
  under.on("close", () => clearTimeout(late));
  secure.once("secure", () => clearTimeout(late));
  secure.setTimeout(IDLE_MS, () => secure.destroy());
  secure.on("data", (bytes: Uint8Array) => to.onData(bytes) || below.hold(true));
  secure.on("end", () => to.onEnd(told)).on("error", () => {});
}

/** See the module. */
export function byHand(): Way {
  const only = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
  const open = (
    port: number,
    cert: string,
    onSecure: (socket: TLSSocket) => void,
    onData: (bytes: Uint8Array) => void = () => {},
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const under = connectNet({ host: HOST, port, noDelay: true, allowHalfOpen: true });
      under.on("error", reject).on("connect", () => {
        const options = { ca: cert, ALPNProtocols: ALPN, servername: "localhost", ...only };
        const secure = connectTls({ ...options, socket: under });
        receive(secure, under, {
          onData(bytes) {
            onData(bytes);
            return true;
          },
          onEnd: (told) => told || reject(new Error("The other end was cut off")),
        });
        secure.on("secureConnect", () => onSecure(secure)).on("close", () => resolve());
      });
    });
  return {
    name: "node:tls by hand",
    serve: (pair, greeting) =>
      new Promise((resolve) => {
        const secureContext = createSecureContext({ ...pair, ...only });
        let connections = 0;
        const paused = { pauseOnConnect: runtimeName() === "deno" };
        const server = createServer({ allowHalfOpen: true, noDelay: true, ...paused }, (under) => {
          if (connections >= MAX_CONNECTIONS) return void under.destroy();
          connections++;
          under.on("close", () => connections--).on("error", () => {});
          const options = { isServer: true, secureContext, ALPNProtocols: ALPN };
          const secure = new TLSSocket(under, options);
          receive(secure, under, {
            onData: () => true,
            onEnd: (told) => told ? secure.end() : secure.destroy(),
          });
          secure.on("secure", () => writeAll(secure, greetingBlock(greeting), greeting));
        });
        server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
      }),
    send(port, cert, { bytes, write, greeting }) {
      let secure: TLSSocket;
      let taken = 0;
      let parts = 2;
      const done = (): void => void (--parts === 0 && secure.end());
      return open(port, cert, (socket) => {
        secure = socket;
        writeAll(socket, block(write), bytes, done);
      }, ({ length }) => {
        taken += length;
        if (taken === greeting) done();
      });
    },
    async handshake(port, cert) {
      const start = performance.now();
      let ms = 0;
      await open(port, cert, (socket) => {
        ms = performance.now() - start;
        socket.destroy();
      });
      return ms;
    },
  };
}
