/** A proxy that ends a TCP stream where it likes, as anyone on the way of one can. */
import { Buffer } from "node:buffer";
import { connect, createServer, type Socket } from "node:net";

/** `up` is from the client to the server. */
export type Direction = "up" | "down";

/** What a record of TLS 1.3 adds to its content: a head, the type, a tag. */
const RECORD_BYTES = 5 + 1 + 16;

/** Length of the record of a close_notify, an alert of two bytes. */
export const CLOSE_NOTIFY_BYTES: number = 2 + RECORD_BYTES;

/** The largest single read of any runtime: Bun's. */
export const LARGEST_READ = 524_288;

/** So many bytes are one such read once they are sealed and ended, to the byte. */
export const LARGE_BYTES = 523_560;

/** After so many, the window of TCP has grown to that. */
export const WARM_BYTES = 4_194_304;

/** One connection that passes through. */
export interface Wire {
  /** Keeps what comes in this direction from now on. */
  collect(direction: Direction): void;
  /** Resolves once records were kept with so many bytes of content, an alert's included. */
  kept(direction: Direction, content: number): Promise<void>;
  /** Lets what was kept pass, up to there as `slice()` counts, with a FIN right behind. */
  release(direction: Direction, end: number | undefined): void;
}

/** See the module. */
export interface Cutter extends AsyncDisposable {
  readonly port: number;
  /** The latest connection. */
  readonly wire: Wire;
}

class Flow {
  readonly #to: Socket;
  #kept: Uint8Array[] | undefined;
  #onKept = (): void => {};

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    from.on("data", (bytes: Uint8Array) => {
      if (this.#kept === undefined) return void to.write(bytes);
      this.#kept.push(bytes);
      this.#onKept();
    });
    from.on("end", () => this.#kept ?? to.end());
  }

  collect(): void {
    this.#kept = [];
  }

  async kept(content: number): Promise<void> {
    while (contentOf(Buffer.concat(this.#kept ?? [])) < content) {
      await new Promise<void>((resolve) => this.#onKept = resolve);
    }
  }

  release(end: number | undefined): void {
    this.#to.end(Buffer.concat(this.#kept ?? []).subarray(0, end));
  }
}

/** Bytes of content in whole records, unless they are padded. */
function contentOf(records: Buffer): number {
  let content = 0;
  for (let at = 0; at + 5 <= records.length;) {
    const next = at + 5 + records.readUInt16BE(at + 3);
    if (next <= records.length) content += next - at - RECORD_BYTES;
    at = next;
  }
  return content;
}

/** Starts a proxy to a loopback port. */
export async function cutter(to: number): Promise<Cutter> {
  const sockets = new Set<Socket>();
  let flows: Readonly<Record<Direction, Flow>> | undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port: to, allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    flows = { up: new Flow(near, far), down: new Flow(far, near) };
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    wire: {
      collect: (direction) => flows?.[direction].collect(),
      kept: async (direction, content) => await flows?.[direction].kept(content),
      release: (direction, end) => flows?.[direction].release(end),
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
