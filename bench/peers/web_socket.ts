/**
 * The runtime's own WebSocket: `Deno.serve` with `Deno.upgradeWebSocket`, or `Bun.serve`, without compression;
 * the client is the global `WebSocket`.
 *
 * @module
 */

import {
  type Client,
  Counting,
  type Job,
  LAST,
  message,
  MORE,
  type Peer,
  type Server,
} from "./contract.ts";
import { count, countFlow, FLOWN, Numbered } from "./numbered.ts";

interface BunSocket {
  send(bytes: Uint8Array): number;
}

interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  stop(force: boolean): void;
}

interface Runtimes {
  readonly Deno?: {
    serve(
      options: { hostname: string; port: number; onListen(): void },
      handler: (request: Request) => Response,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
    upgradeWebSocket(
      request: Request,
      options: { idleTimeout: number },
    ): { socket: WebSocket; response: Response };
  };
  readonly Bun?: {
    serve(options: {
      hostname: string;
      port: number;
      fetch(request: Request, server: BunServer): Response | undefined;
      websocket: {
        perMessageDeflate: boolean;
        maxPayloadLength: number;
        backpressureLimit: number;
        idleTimeout: number;
        message(socket: BunSocket, bytes: Uint8Array): void;
      };
    }): BunServer;
  };
}

const { Deno, Bun } = globalThis as unknown as Runtimes;
/** Bytes that wait in a client at which it sends nothing more. */
const BUFFERED_BYTES = 1_048_576;

type Send = (bytes: Uint8Array) => void;

function receive(counting: Counting, kind: Job["kind"]): (bytes: Uint8Array, send: Send) => void {
  if (kind === "flow") {
    return (bytes, send) => {
      if (countFlow(counting, bytes)) send(Uint8Array.of(1));
    };
  }
  return (bytes, send) => {
    count(counting, bytes);
    send(bytes);
  };
}

function serve({ kind }: Job): Promise<Server> {
  const counting = new Counting();
  const take = receive(counting, kind);
  const at = { hostname: "127.0.0.1", port: 0 };
  const tally = (): ReturnType<Server["tally"]> => counting.take();
  if (Bun !== undefined) {
    const server = Bun.serve({
      ...at,
      fetch: (request, server) => {
        if (server.upgrade(request)) return undefined;
        return new Response("a WebSocket is wanted", { status: 400 });
      },
      websocket: {
        perMessageDeflate: false,
        maxPayloadLength: 4 << 20,
        backpressureLimit: 16 << 20,
        idleTimeout: 0,
        message: (socket, bytes) => take(bytes, (answer) => void socket.send(answer)),
      },
    });
    return Promise.resolve({ port: server.port, tally, close: () => server.stop(true) });
  }
  if (Deno === undefined) throw new Error("only Deno and Bun have a WebSocket server of their own");
  const { serve, upgradeWebSocket } = Deno;
  const server = serve({ ...at, onListen() {} }, (request) => {
    const { socket, response } = upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    const send: Send = (answer) => socket.send(answer as Uint8Array<ArrayBuffer>);
    socket.onmessage = ({ data }) => take(new Uint8Array(data as ArrayBuffer), send);
    socket.onerror = () => {}; // a client that is done resets it
    return response;
  });
  return Promise.resolve({ port: server.addr.port, tally, close: () => server.shutdown() });
}

async function connect(job: Job, port: number): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const close = (): void => socket.close();
  const send: Send = (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>);
  if (job.kind === "ask") {
    const asking = new Numbered(job, send);
    socket.onmessage = ({ data }) => asking.answer(new Uint8Array(data as ArrayBuffer));
    return { run: (count) => asking.run(count), close };
  }
  const more = message(job.bytes, MORE);
  const last = message(job.bytes, LAST);
  let done: () => void = () => {};
  socket.onmessage = () => done();
  const run: Client["run"] = async (count) => {
    const answered = new Promise<void>((resolve) => done = resolve);
    for (let i = 1; i <= count; i++) {
      // There is no event for room: a turn of the loop lets the runtime write.
      while (socket.bufferedAmount >= BUFFERED_BYTES) await turn();
      send(i === count ? last : more);
    }
    await answered;
    return FLOWN;
  };
  return { run, close };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** See the module. */
export const webSocket: Peer = { serve, connect };
