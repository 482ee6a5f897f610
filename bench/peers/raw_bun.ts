/**
 * Sockets of `Bun.listen` and `Bun.connect` by themselves.
 *
 * @module
 */

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

const HEADER_BYTES = 38;
/** Receives from this size on are freed; smaller ones cost less as garbage. */
const FREED_BYTES = 16_384;

type Handler = (chunk: Uint8Array) => void;

interface BunSocket {
  data: Writing;
  write(bytes: Uint8Array, offset: number, length: number): number;
  terminate(): void;
}

interface Events {
  open(raw: BunSocket): void;
  data(raw: BunSocket, chunk: Uint8Array): void;
  drain(raw: BunSocket): void;
  close(raw: BunSocket): void;
}

interface Options {
  readonly hostname: string;
  readonly port: number;
  readonly socket: Events;
}

const { Bun } = globalThis as unknown as {
  readonly Bun: {
    listen(options: Options): { readonly port: number; stop(force: boolean): void };
    connect(options: Options): Promise<BunSocket>;
  };
};

/** What a socket still has to write: Bun keeps nothing that it does not take. */
class Writing {
  readonly #raw: BunSocket;
  readonly handler: Handler;
  #next: () => Uint8Array | undefined = () => undefined;
  #rest: Uint8Array | undefined;
  #free: ((bytes: Uint8Array) => void) | undefined;

  constructor(raw: BunSocket, make: (writing: Writing) => Handler) {
    this.#raw = raw;
    this.handler = make(this);
  }

  /** Writes what `next` gives until it gives nothing. `free` is told of what was written. */
  pump(next: () => Uint8Array | undefined, free?: (bytes: Uint8Array) => void): void {
    this.#next = next;
    this.#free = free;
    if (this.#rest === undefined) this.go();
  }

  /** Goes on. */
  go(): void {
    for (let block = this.#rest ?? this.#next(); block !== undefined; block = this.#next()) {
      const n = Math.max(0, this.#raw.write(block, 0, block.length));
      if (n < block.length) {
        this.#rest = block.subarray(n);
        return;
      }
      this.#free?.(block);
    }
    this.#rest = undefined;
  }
}

function events(make: (writing: Writing) => Handler, opened: (raw: BunSocket) => void): Events {
  return {
    open(raw) {
      raw.data = new Writing(raw, make);
      opened(raw);
    },
    data(raw, chunk) {
      raw.data.handler(chunk);
      // Freed at once, its memory is that of the next receive: a quarter of the receiver's time.
      if (chunk.length >= FREED_BYTES) (chunk.buffer as ArrayBuffer).transfer(0);
    },
    drain: (raw) => raw.data.go(),
    close() {},
  };
}

function listen(counting: Counting, make: (writing: Writing) => Handler): Promise<Server> {
  const socket = events(make, () => {});
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  return Promise.resolve({
    port: server.port,
    tally: () => counting.take(),
    close: () => server.stop(true),
  });
}

async function dial(port: number, make: (writing: Writing) => Handler): Promise<BunSocket> {
  const socket = events(make, () => {});
  return await Bun.connect({ hostname: "127.0.0.1", port, socket });
}

function serveFlow(handler: (counting: Counting, onLast: () => void) => Handler): Promise<Server> {
  const counting = new Counting();
  const answer = Uint8Array.of(1);
  return listen(counting, (writing) => handler(counting, () => writing.pump(once(answer))));
}

function once(bytes: Uint8Array): () => Uint8Array | undefined {
  let left = 1;
  return () => left-- > 0 ? bytes : undefined;
}

async function connectFlow(
  port: number,
  blocks: (count: number) => () => Uint8Array | undefined,
): Promise<Client> {
  let done: () => void = () => {};
  const raw = await dial(port, () => () => done());
  return {
    async run(count) {
      const answered = new Promise<void>((resolve) => done = resolve);
      raw.data.pump(blocks(count));
      await answered;
      return { messages: 1, bytes: 0, sum: 0 };
    },
    close: () => raw.terminate(),
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
    return connectFlow(port, (count) => {
      const total = count * (HEADER_BYTES + bytes);
      let left = Math.ceil(total / size);
      const end = message(total - (left - 1) * size, LAST);
      return () => left-- > 1 ? more : left === 0 ? end : undefined;
    });
  },
};

/** Messages behind a length. Large ones are written with their length in one piece of memory, made once. */
export const prefixed: Peer = {
  serve: (job) => job.kind === "ask" ? serveAsk(job) : serveFlow(pieces),
  connect: (job, port) => {
    if (job.kind === "ask") return connectAsk(job, port);
    const { more, last } = prefixedMessages(job);
    return connectFlow(port, (count) => {
      let left = count;
      return () => left-- > 1 ? more : left === 0 ? last : undefined;
    });
  },
};

function serveAsk(job: Job): Promise<Server> {
  const counting = new Counting();
  const makeOut = outs(mostBytes(job));
  return listen(counting, (writing) => {
    const out = makeOut();
    const take = answering(counting, out);
    return (chunk) => {
      take(chunk);
      flush(writing, out);
    };
  });
}

async function connectAsk(job: Job, port: number): Promise<Client> {
  const makeOut = outs(mostBytes(job));
  const { connections = 1, idle = 0 } = job;
  const sockets = await many(connections, async () => {
    const asking = new Asking(job, makeOut());
    const raw = await dial(port, (writing) => (chunk) => {
      asking.take(chunk);
      flush(writing, asking.out);
    });
    return { asking, raw };
  });
  const idling = await many(idle, () => dial(port, () => () => {}));
  return {
    async run(count) {
      const answers = sockets.map(({ asking, raw }, i) => {
        const { from, to } = share(count, connections, i);
        const answered = asking.start(from, to);
        flush(raw.data, asking.out);
        return answered;
      });
      return total(await Promise.all(answers));
    },
    close() {
      for (const { raw } of sockets) raw.terminate();
      for (const raw of idling) raw.terminate();
    },
  };
}

function flush(writing: Writing, out: Out): void {
  writing.pump(() => out.length === 0 ? undefined : out.take(), (bytes) => out.give(bytes));
}
