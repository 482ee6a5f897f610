/**
 * This library, used as its documentation says is fastest.
 *
 * @module
 */

import { Transport } from "../../mod.ts";
import { corrIds, FLAGS, type Frame, framed, type FramedConnection } from "../../src/oap/mod.ts";
import {
  type Client,
  Counting,
  type Job,
  LAST,
  message,
  MORE,
  NUMBER_AT,
  type Peer,
  type Server,
} from "./contract.ts";

const HEAD = { code: 0, appProtoId: 7, tenantId: 0n };
const EMPTY = new Uint8Array(0);

/** Counts frames, or parts of them, and answers the last one. */
function receive(link: FramedConnection, counting: Counting): void {
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      const n = frame.payloadBytes;
      counting.bytes += n;
      if (!frame.last || (frame.flags & FLAGS.END) === 0) return;
      const last = frame.bytes[frame.payloadAt + n - 1]!;
      counting.messages++;
      counting.sum += last;
      if (last !== LAST) return;
      const { corrId } = frame;
      link.trySend({ ...HEAD, flags: FLAGS.RESP, corrId, payload: EMPTY });
    });
  });
}

/** Sends every request back. */
function answer(link: FramedConnection, counting: Counting): void {
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      const { corrId, payload, tenantId, appProtoId } = frame;
      counting.messages++;
      counting.bytes += payload.length;
      counting.sum += number(payload);
      link.trySend({ flags: FLAGS.RESP, code: 200, appProtoId, tenantId, corrId, payload });
    });
  });
}

function number(payload: Uint8Array): number {
  return (payload[NUMBER_AT]! << 24 | payload[NUMBER_AT + 1]! << 16 |
    payload[NUMBER_AT + 2]! << 8 | payload[NUMBER_AT + 3]!) >>> 0;
}

async function serve(job: Job): Promise<Server> {
  const transport = new Transport({ max_conns: 1_000_000 });
  const counting = new Counting();
  const listener = await transport.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection) => {
      const link = framed(connection, { fragments: job.kind === "flow" });
      if (job.kind === "flow") receive(link, counting);
      else answer(link, counting);
      await link.closed;
    },
  });
  const { port } = listener.address;
  return { port, tally: () => counting.take(), close: () => transport.close() };
}

type Run = Client["run"];

async function connect(port: number, use: (link: FramedConnection) => Run): Promise<Client> {
  const transport = new Transport({ max_conns: 1_000_000 });
  const link = framed(await transport.dial({ hostname: "127.0.0.1", port }));
  return { run: use(link), close: () => transport.close() };
}

/** Single frames: as many as there is room for at a time, then a wait for room. */
function flowing(link: FramedConnection, { bytes }: Job): Run {
  const flags = FLAGS.EVENT | FLAGS.START | FLAGS.END;
  const more: Frame = { ...HEAD, flags, corrId: 1n, payload: message(bytes, MORE) };
  const last: Frame = { ...HEAD, flags, corrId: 2n, payload: message(bytes, LAST) };
  const answers = lastAnswer(link);
  return async (count) => {
    const answered = answers();
    for (let left = count - 1; left > 0; left--) {
      try {
        link.trySend(more);
      } catch {
        await link.send(more);
      }
    }
    await link.send(last);
    return { messages: await answered, bytes: 0, sum: 0 };
  };
}

/** Messages that are larger than a frame, each as a stream; two of them at a time. */
function streaming(link: FramedConnection, { bytes }: Job): Run {
  const more = message(bytes, MORE);
  const last = message(bytes, LAST);
  const answers = lastAnswer(link);
  let corrId = 1n;
  const send = (body: Uint8Array): Promise<unknown> =>
    link.sendStream(body, { ...HEAD, flags: FLAGS.EVENT, corrId: corrId++ });
  return async (count) => {
    const answered = answers();
    let before = Promise.resolve<unknown>(undefined);
    for (let left = count - 1; left > 0; left--) {
      const sent = send(more);
      await before;
      before = sent;
    }
    await before;
    await send(last);
    return { messages: await answered, bytes: 0, sum: 0 };
  };
}

function lastAnswer(link: FramedConnection): () => Promise<number> {
  let done: (n: number) => void = () => {};
  link.onBatch((batch) => done(batch.length));
  return () => new Promise((resolve) => done = resolve);
}

/** So many requests on their way; each answer sends the next one. */
function asking(link: FramedConnection, { bytes, inflight }: Job): Run {
  const counting = new Counting();
  const payload = message(bytes, MORE);
  const view = new DataView(payload.buffer);
  const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
  let next = 0;
  let total = 0;
  let done: () => void = () => {};
  const ask = (corrId: bigint): void => {
    if (next >= total) return;
    view.setUint32(NUMBER_AT, next++);
    link.trySend({ ...HEAD, flags, corrId, payload });
  };
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      const { payload } = frame;
      counting.messages++;
      counting.bytes += payload.length;
      counting.sum += number(payload);
      ask(frame.corrId);
    });
    if (counting.messages === total) done();
  });
  return async (count) => {
    next = 0;
    total = count;
    const finished = new Promise<void>((resolve) => done = resolve);
    for (let i = 0; i < inflight; i++) ask(BigInt(i));
    await finished;
    return counting.take();
  };
}

/** Each request by `request()`, with a promise of its own. */
function requesting(link: FramedConnection, { bytes, inflight }: Job): Run {
  const ids = corrIds();
  const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
  return async (count) => {
    const counting = new Counting();
    let next = 0;
    const ask = async (): Promise<void> => {
      const payload = message(bytes, MORE);
      const view = new DataView(payload.buffer);
      while (next < count) {
        view.setUint32(NUMBER_AT, next++);
        const answer = await link.request({ ...HEAD, flags, corrId: ids.next(), payload });
        counting.messages++;
        counting.bytes += answer.payload.length;
        counting.sum += number(answer.payload);
      }
    };
    await Promise.all(Array.from({ length: inflight }, ask));
    return counting.take();
  };
}

/** See the module. */
export const ours: Peer = {
  serve,
  connect: (job, port) =>
    connect(port, (link) => {
      if (job.kind === "ask") return asking(link, job);
      return job.bytes > 64 * 1024 ? streaming(link, job) : flowing(link, job);
    }),
};

/** The same, with `request()` for `ask`. */
export const oursByRequest: Peer = {
  serve,
  connect: (job, port) => connect(port, (link) => requesting(link, job)),
};
