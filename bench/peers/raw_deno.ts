/**
 * Connections of `Deno.listen` and `Deno.connect` by themselves.
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

type Handler = (chunk: Uint8Array) => void;

interface Conn {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(on: boolean): void;
  close(): void;
}

const { Deno } = globalThis as unknown as {
  readonly Deno: {
    listen(options: { hostname: string; port: number }): AsyncIterable<Conn> & {
      readonly addr: { readonly port: number };
      close(): void;
    };
    connect(options: { hostname: string; port: number }): Promise<Conn>;
  };
};

async function read(
  conn: Conn,
  handler: (chunk: Uint8Array) => Promise<void> | void,
): Promise<void> {
  const window = new Uint8Array(WINDOW_BYTES);
  try {
    for (;;) {
      const n = await conn.read(window);
      if (n === null) return;
      const wait = handler(window.subarray(0, n));
      if (wait !== undefined) await wait;
    }
  } catch {
    // The other end, or this one, has closed it.
  }
}

async function write(conn: Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(at === 0 ? bytes : bytes.subarray(at));
  }
}

function listen(
  counting: Counting,
  onConn: (conn: Conn) => (chunk: Uint8Array) => Promise<void> | void,
): Promise<Server> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = async (): Promise<void> => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      void read(conn, onConn(conn));
    }
  };
  void accept();
  return Promise.resolve({
    port: listener.addr.port,
    tally: () => counting.take(),
    close: () => listener.close(),
  });
}

function serveFlow(handler: (counting: Counting, onLast: () => void) => Handler): Promise<Server> {
  const counting = new Counting();
  const answer = Uint8Array.of(1);
  return listen(counting, (conn) => handler(counting, () => void write(conn, answer)));
}

async function connectFlow(
  port: number,
  send: (conn: Conn, count: number) => Promise<void>,
): Promise<Client> {
  let done: () => void = () => {};
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  void read(conn, () => done());
  return {
    async run(count) {
      const answered = new Promise<void>((resolve) => done = resolve);
      await send(conn, count);
      await answered;
      return { messages: 1, bytes: 0, sum: 0 };
    },
    close: () => conn.close(),
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
    const size = 131_072;
    const more = message(size, MORE);
    return connectFlow(port, async (conn, count) => {
      const total = count * (HEADER_BYTES + bytes);
      const blocks = Math.ceil(total / size);
      for (let i = 1; i < blocks; i++) await write(conn, more);
      await write(conn, message(total - (blocks - 1) * size, LAST));
    });
  },
};

/** Messages behind a length. Large ones are written with their length in one piece of memory, made once. */
export const prefixed: Peer = {
  serve: (job) => job.kind === "ask" ? serveAsk(job) : serveFlow(pieces),
  connect: (job, port) => {
    if (job.kind === "ask") return connectAsk(job, port);
    const { more, last } = prefixedMessages(job);
    return connectFlow(port, async (conn, count) => {
      for (let i = 1; i < count; i++) await write(conn, more);
      await write(conn, last);
    });
  },
};

function serveAsk(job: Job): Promise<Server> {
  const counting = new Counting();
  const makeOut = outs(mostBytes(job));
  return listen(counting, (conn) => {
    const out = makeOut();
    const take = answering(counting, out);
    return (chunk) => {
      take(chunk);
      return flush(conn, out);
    };
  });
}

async function connectAsk(job: Job, port: number): Promise<Client> {
  const makeOut = outs(mostBytes(job));
  const asking = new Asking(job, makeOut());
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  void read(conn, (chunk) => {
    asking.take(chunk);
    return flush(conn, asking.out);
  });
  return {
    async run(count) {
      const answered = asking.start(0, count);
      await flush(conn, asking.out);
      return await answered;
    },
    close: () => conn.close(),
  };
}

function flush(conn: Conn, out: Out): Promise<void> | undefined {
  if (out.length === 0) return undefined;
  const bytes = out.take();
  return write(conn, bytes).then(() => out.give(bytes));
}
