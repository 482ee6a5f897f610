/**
 * `@libp2p/tcp` with `@chainsafe/libp2p-yamux`: one long-lived stream of one connection, without encryption,
 * its windows at 16 MiB; messages behind a length of 32 bits, a call of `send` for each.
 *
 * @module
 */

import { type Client, Counting, type Job, NUMBER_AT, type Peer, type Server } from "./contract.ts";
import { pieces, PREFIX, prefixedMessages, small } from "./length_prefix.ts";
import { bundled, FLOWN, Numbered } from "./numbered.ts";

interface Pieces {
  subarray(): Uint8Array;
}

interface Stream extends EventTarget {
  send(bytes: Uint8Array): boolean;
}

interface Node {
  getMultiaddrs(): { toString(): string }[];
  handle(protocol: string, handler: (stream: Stream) => void): Promise<void>;
  dialProtocol(address: unknown, protocol: string): Promise<Stream>;
  stop(): Promise<void>;
}

interface Module {
  createLibp2p(options: Record<string, unknown>): Promise<Node>;
  tcp(): unknown;
  yamux(options: Record<string, unknown>): unknown;
  plaintext(): unknown;
  multiaddr(text: string): unknown;
}

const PROTOCOL = "/bench/1";
const WINDOW_BYTES = 16 << 20;

async function node(listen: readonly string[]): Promise<[Node, Module]> {
  const all = await bundled<Module>("libp2p");
  const streamOptions = {
    initialStreamWindowSize: WINDOW_BYTES,
    maxStreamWindowSize: WINDOW_BYTES,
  };
  const made = await all.createLibp2p({
    addresses: { listen },
    transports: [all.tcp()],
    connectionEncrypters: [all.plaintext()],
    streamMuxers: [all.yamux({ enableKeepAlive: false, streamOptions })],
  });
  return [made, all];
}

function onBytes(stream: Stream, take: (bytes: Uint8Array) => void): void {
  stream.addEventListener("message", (event) => {
    const { data } = event as unknown as { data: Uint8Array | Pieces };
    take(data instanceof Uint8Array ? data : data.subarray());
  });
}

function framed(bytes: Uint8Array): Uint8Array {
  const made = new Uint8Array(PREFIX + bytes.length);
  new DataView(made.buffer).setUint32(0, bytes.length);
  made.set(bytes, PREFIX);
  return made;
}

async function serve({ kind }: Job): Promise<Server> {
  const counting = new Counting();
  const [server] = await node(["/ip4/127.0.0.1/tcp/0"]);
  await server.handle(PROTOCOL, (stream) => {
    const take = kind === "flow"
      ? pieces(counting, () => void stream.send(Uint8Array.of(1)))
      : small((chunk, view, at, n) => {
        counting.messages++;
        counting.bytes += n;
        counting.sum += view.getUint32(at + NUMBER_AT);
        stream.send(framed(new Uint8Array(chunk.buffer, chunk.byteOffset + at, n)));
      });
    onBytes(stream, take);
  });
  const port = Number(String(server.getMultiaddrs()[0]).split("/")[4]);
  return { port, tally: () => counting.take(), close: () => server.stop() };
}

async function connect(job: Job, port: number): Promise<Client> {
  const [client, { multiaddr }] = await node([]);
  const stream = await client.dialProtocol(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), PROTOCOL);
  const close = (): Promise<void> => client.stop();
  if (job.kind === "ask") {
    const asking = new Numbered(job, (request) => void stream.send(framed(request)));
    const take = small((chunk, _view, at, n) =>
      asking.answer(new Uint8Array(chunk.buffer, chunk.byteOffset + at, n))
    );
    onBytes(stream, take);
    return { run: (count) => asking.run(count), close };
  }
  const { more, last } = prefixedMessages(job);
  let done: () => void = () => {};
  onBytes(stream, () => done());
  const run: Client["run"] = async (count) => {
    const answered = new Promise<void>((resolve) => done = resolve);
    for (let i = 1; i <= count; i++) {
      if (stream.send(i === count ? last : more)) continue;
      await new Promise((resolve) => stream.addEventListener("drain", resolve, { once: true }));
    }
    await answered;
    return FLOWN;
  };
  return { run, close };
}

/** See the module. */
export const libp2p: Peer = { serve, connect };
