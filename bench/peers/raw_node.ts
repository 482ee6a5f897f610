/**
 * Sockets of `node:net` by themselves: on Deno and Node.
 *
 * Reads go into one window by `onread`, also of accepted sockets, whose handle a socket with that option
 * takes over; writes are told of their end by callbacks.
 *
 * @module
 */

import {
  type AddressInfo,
  connect,
  createServer,
  Socket,
  type SocketConstructorOpts,
} from "node:net";
import {
  type Client,
  Counting,
  type Job,
  LAST,
  many,
  message,
  MORE,
  type Peer,
  type Server,
  share,
  total,
} from "./contract.ts";
import {
  answering,
  Asking,
  mostBytes,
  type Out,
  outs,
  pieces,
  prefixedMessages,
} from "./length_prefix.ts";

const WINDOW_BYTES = 262_144;
const HEADER_BYTES = 38;
/** Writes on their way at a time. */
const AHEAD = 4;

type Handler = (chunk: Uint8Array) => void;

/** One window for all sockets: it is read, and done with, in one step. */
const buffer = new Uint8Array(WINDOW_BYTES);

function onread(handler: Handler): SocketConstructorOpts["onread"] {
  const callback = (n: number): boolean => {
    handler(buffer.subarray(0, n));
    return true;
  };
  return { buffer, callback };
}

async function listen(
  onSocket: (socket: Socket) => Handler,
): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (raw) => {
    const { _handle: handle } = raw as unknown as { _handle: unknown };
    const options = { handle, onread: onread((chunk) => handler(chunk)) };
    const socket = new Socket(options as unknown as SocketConstructorOpts);
    const handler = onSocket(socket);
    socket.on("error", () => {}); // a client that is done resets it
    sockets.add(socket);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function dial(port: number, handler: Handler): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, onread: onread(handler) });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

/** Writes `count` blocks, several on their way at a time. */
function pump(socket: Socket, count: number, block: (i: number) => Uint8Array): void {
  let next = 0;
  const go = (): void => {
    if (next < count) socket.write(block(next++), go);
  };
  for (let i = 0; i < AHEAD; i++) go();
}

async function serveFlow(
  handler: (counting: Counting, onLast: () => void) => Handler,
): Promise<Server> {
  const counting = new Counting();
  const answer = Uint8Array.of(1);
  const { port, close } = await listen((socket) =>
    handler(counting, () => void socket.write(answer))
  );
  return { port, tally: () => counting.take(), close };
}

async function connectFlow(
  port: number,
  send: (socket: Socket, count: number) => void,
): Promise<Client> {
  let done: () => void = () => {};
  const socket = await dial(port, () => done());
  return {
    async run(count) {
      const answered = new Promise<void>((resolve) => done = resolve);
      send(socket, count);
      await answered;
      return { messages: 1, bytes: 0, sum: 0 };
    },
    close: () => void socket.destroy(),
  };
}

/** The same number of bytes, without any messages: only the last byte of a read is looked at. */
export const sink: Peer = {
  serve: () =>
    serveFlow((counting, onLast) => (chunk) => {
      counting.bytes += chunk.length;
      if (chunk[chunk.length - 1] === LAST) onLast();
    }),
  connect: ({ bytes }, port) => {
    const size = 262_144;
    const more = message(size, MORE);
    return connectFlow(port, (socket, count) => {
      const total = count * (HEADER_BYTES + bytes);
      const blocks = Math.ceil(total / size);
      const end = message(total - (blocks - 1) * size, LAST);
      pump(socket, blocks, (i) => i === blocks - 1 ? end : more);
    });
  },
};

/** Messages behind a length. Large ones are written with their length in one piece of memory, made once. */
export const prefixed: Peer = {
  serve: (job) => job.kind === "ask" ? serveAsk(job) : serveFlow(pieces),
  connect: (job, port) => {
    if (job.kind === "ask") return connectAsk(job, port);
    const { more, last } = prefixedMessages(job);
    return connectFlow(port, (socket, count) => {
      pump(socket, count, (i) => i === count - 1 ? last : more);
    });
  },
};

async function serveAsk(job: Job): Promise<Server> {
  const counting = new Counting();
  const makeOut = outs(mostBytes(job));
  const { port, close } = await listen((socket) => {
    const out = makeOut();
    const take = answering(counting, out);
    return (chunk) => {
      take(chunk);
      flush(socket, out);
    };
  });
  return { port, tally: () => counting.take(), close };
}

async function connectAsk(job: Job, port: number): Promise<Client> {
  const makeOut = outs(mostBytes(job));
  const { connections = 1, idle = 0 } = job;
  const sockets = await many(connections, async () => {
    const asking = new Asking(job, makeOut());
    const socket = await dial(port, (chunk) => {
      asking.take(chunk);
      flush(socket, asking.out);
    });
    return { asking, socket };
  });
  const idling = await many(idle, () => dial(port, () => {}));
  return {
    async run(count) {
      const answers = sockets.map(({ asking, socket }, i) => {
        const { from, to } = share(count, connections, i);
        const answered = asking.start(from, to);
        flush(socket, asking.out);
        return answered;
      });
      return total(await Promise.all(answers));
    },
    close() {
      for (const { socket } of sockets) socket.destroy();
      for (const socket of idling) socket.destroy();
    },
  };
}

function flush(socket: Socket, out: Out): void {
  if (out.length === 0) return;
  const bytes = out.take();
  socket.write(bytes, () => out.give(bytes));
}
