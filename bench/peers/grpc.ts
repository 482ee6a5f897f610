/**
 * `@grpc/grpc-js`: one connection, bytes as messages without a codec. Requests are unary calls; a flow is one
 * client-streaming call, with a flow-control window of 4 MiB.
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
import { bundled, count, countFlow, FLOWN, Numbered } from "./numbered.ts";

type Done = (error: unknown, answer?: Uint8Array) => void;

interface Incoming {
  readonly request: Uint8Array;
  on(event: "data", listener: (bytes: Uint8Array) => void): void;
}

interface Outgoing {
  write(bytes: Uint8Array): boolean;
  once(event: "drain", listener: () => void): void;
  end(): void;
}

interface Calls {
  ask(request: Uint8Array, done: Done): void;
  flow(done: Done): Outgoing;
  close(): void;
}

interface Module {
  readonly Server: new (options: Record<string, unknown>) => {
    addService(
      service: unknown,
      handlers: Record<string, (call: Incoming, done: Done) => void>,
    ): void;
    bindAsync(
      address: string,
      credentials: unknown,
      done: (error: unknown, port: number) => void,
    ): void;
    forceShutdown(): void;
  };
  readonly ServerCredentials: { createInsecure(): unknown };
  readonly credentials: { createInsecure(): unknown };
  makeGenericClientConstructor(service: unknown, name: string): new (
    address: string,
    credentials: unknown,
    options: Record<string, unknown>,
  ) => Calls;
}

const OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc-node.flow_control_window": 4 << 20,
  "grpc.enable_channelz": 0,
  "grpc.use_local_subchannel_pool": 1,
};
const same = (bytes: Uint8Array): Uint8Array => bytes;
const method = (name: string, requestStream: boolean): unknown => ({
  path: `/bench/${name}`,
  requestStream,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const SERVICE = { ask: method("ask", false), flow: method("flow", true) };

async function serve(): Promise<Server> {
  const { Server, ServerCredentials } = await bundled<Module>("grpc");
  const counting = new Counting();
  const server = new Server(OPTIONS);
  server.addService(SERVICE, {
    ask: ({ request }, done) => {
      count(counting, request);
      done(null, request);
    },
    flow: (call, done) => {
      call.on("data", (bytes) => {
        if (countFlow(counting, bytes)) done(null, Buffer.of(1));
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    })
  );
  return { port, tally: () => counting.take(), close: () => server.forceShutdown() };
}

async function connect(job: Job, port: number): Promise<Client> {
  const { credentials, makeGenericClientConstructor } = await bundled<Module>("grpc");
  const Calls = makeGenericClientConstructor(SERVICE, "bench");
  const calls = new Calls(`127.0.0.1:${port}`, credentials.createInsecure(), OPTIONS);
  const close = (): void => calls.close();
  const fail = (error: unknown): never => {
    throw error;
  };
  if (job.kind === "ask") {
    const asking = new Numbered(job, (request) => {
      calls.ask(Buffer.from(request), (error, answer) => {
        asking.answer(answer ?? fail(error));
      });
    });
    return { run: (count) => asking.run(count), close };
  }
  const more = Buffer.from(message(job.bytes, MORE));
  const last = Buffer.from(message(job.bytes, LAST));
  const run: Client["run"] = async (count) => {
    let call: Outgoing | undefined;
    const answered = new Promise<void>((resolve, reject) => {
      call = calls.flow((error) => error === null ? resolve() : reject(error));
    });
    const out = call as unknown as Outgoing;
    for (let i = 1; i <= count; i++) {
      if (out.write(i === count ? last : more)) continue;
      await new Promise<void>((resolve) => out.once("drain", resolve));
    }
    out.end();
    await answered;
    return FLOWN;
  };
  return { run, close };
}

/** See the module. */
export const grpc: Peer = { serve, connect };
