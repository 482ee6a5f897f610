/**
 * `ws`: binary messages, no compression, no check of text. The client's masks are zero, which is its way to
 * do without masking.
 *
 * @module
 */

import type { AddressInfo } from "node:net";
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
import { bundled, count, countFlow, FLOWN, Numbered } from "./numbered.ts";

interface Socket {
  on(event: "message", listener: (bytes: Uint8Array) => void): void;
  on(event: "open", listener: () => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  send(bytes: Uint8Array, done?: () => void): void;
  terminate(): void;
}

interface Listening {
  on(event: "connection", listener: (socket: Socket) => void): void;
  on(event: "listening", listener: () => void): void;
  address(): AddressInfo;
  close(): void;
}

interface Module {
  readonly WebSocketServer: new (options: Record<string, unknown>) => Listening;
  readonly WebSocket: new (url: string, options: Record<string, unknown>) => Socket;
}

const OPTIONS = { perMessageDeflate: false, skipUTF8Validation: true, maxPayload: 4 << 20 };
/** Messages on their way at a time. */
const AHEAD = 8;

async function serve({ kind }: Job): Promise<Server> {
  const { WebSocketServer } = await bundled<Module>("ws");
  const counting = new Counting();
  const server = new WebSocketServer({ ...OPTIONS, host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    socket.on("error", () => {}); // a client that is done resets it
    if (kind === "flow") {
      socket.on("message", (bytes) => {
        if (countFlow(counting, bytes)) socket.send(Uint8Array.of(1));
      });
    } else {
      socket.on("message", (bytes) => {
        count(counting, bytes);
        socket.send(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => server.on("listening", resolve));
  return { port: server.address().port, tally: () => counting.take(), close: () => server.close() };
}

async function connect(job: Job, port: number): Promise<Client> {
  const { WebSocket } = await bundled<Module>("ws");
  const generateMask = (mask: Uint8Array): void => void mask.fill(0);
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { ...OPTIONS, generateMask });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  const close = (): void => socket.terminate();
  if (job.kind === "ask") {
    const asking = new Numbered(job, (request) => socket.send(request));
    socket.on("message", (bytes) => asking.answer(bytes));
    return { run: (count) => asking.run(count), close };
  }
  const more = message(job.bytes, MORE);
  const last = message(job.bytes, LAST);
  let done: () => void = () => {};
  socket.on("message", () => done());
  const run: Client["run"] = async (count) => {
    const answered = new Promise<void>((resolve) => done = resolve);
    let next = 0;
    const go = (): void => {
      if (next < count) socket.send(++next === count ? last : more, go);
    };
    for (let i = 0; i < AHEAD; i++) go();
    await answered;
    return FLOWN;
  };
  return { run, close };
}

/** See the module. */
export const ws: Peer = { serve, connect };
