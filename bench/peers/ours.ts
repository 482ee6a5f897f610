/**
 * This library, used as its documentation says is fastest.
 *
 * @module
 */

import { Transport, type TransportConfig } from "../../mod.ts";
import {
  corrIds,
  FLAGS,
  type Frame,
  framed,
  type FramedConnection,
  HEADER_BYTES,
} from "../../src/oap/mod.ts";
import {
  type Client,
  Counting,
  type Job,
  LAST,
  many,
  message,
  MORE,
  NUMBER_AT,
  type Peer,
  type Server,
  share,
  type Tally,
  total,
} from "./contract.ts";
import { numberOf } from "./numbered.ts";

const HEAD = { code: 0, appProtoId: 7, tenantId: 0n };
const EMPTY = new Uint8Array(0);
/** Code of the last frame of a flow. */
const LAST_CODE = 1;
const MAX_PAYLOAD_BYTES = 1_048_576 - HEADER_BYTES;
/** As many connections as there are descriptors, also from one address, for as long as it takes. */
const CONFIG: TransportConfig = {
  max_conns: 100_000,
  per_peer: { max_conns: 0 },
  idle_timeout: "10m",
};

/** Counts frames, or parts of them, and answers the last one. */
function receive(link: FramedConnection, counting: Counting): void {
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      const n = frame.payloadBytes;
      counting.bytes += n;
      if (!frame.last || (frame.flags & FLAGS.END) === 0) return;
      counting.messages++;
      if (n > 0) counting.sum += frame.bytes[frame.payloadAt + n - 1]!;
      if (frame.code !== LAST_CODE) return;
      const { corrId } = frame;
      link.trySend({ ...HEAD, flags: FLAGS.RESP, corrId, payload: EMPTY });
    });
  });
}

/** Sends every request back. */
function answer(link: FramedConnection, counting: Counting): void {
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      const { payload } = frame;
      counting.messages++;
      counting.bytes += payload.length;
      counting.sum += numberOf(payload);
      link.tryAnswer(frame, { code: 200, payload });
    });
  });
}

async function serve({ kind }: Job): Promise<Server> {
  const transport = new Transport(CONFIG);
  const counting = new Counting();
  const listener = await transport.listen({ address: "tcp://127.0.0.1:0" });
  // A handler would have to last as long as its connection, and the raw sockets have none.
  const accept = async (): Promise<void> => {
    for await (const connection of listener) {
      const link = framed(connection, { fragments: kind === "flow" });
      if (kind === "flow") receive(link, counting);
      else answer(link, counting);
    }
  };
  void accept();
  const { port = 0 } = listener.address;
  return { port, tally: () => counting.take(), close: () => transport.close() };
}

type Run = Client["run"];

async function connect(
  job: Job,
  port: number,
  use: (links: FramedConnection[]) => Run,
): Promise<Client> {
  const { connections = 1, idle = 0 } = job;
  const transport = new Transport(CONFIG);
  const dial = async (): Promise<FramedConnection> =>
    framed(await transport.dial({ hostname: "127.0.0.1", port }));
  const run = use(await many(connections, dial));
  await many(idle, async () => (await dial()).onBatch(() => {}));
  return { run, close: () => transport.close() };
}

/** Frames that are sent at a time: as many as the inbox has room for. */
const AT_A_TIME = 256;

/** Single frames, some at a time; a large one as soon as there is room. */
function flowing(link: FramedConnection, { bytes }: Job): Run {
  const flags = FLAGS.EVENT | FLAGS.START | FLAGS.END;
  const more: Frame = { ...HEAD, flags, corrId: 1n, payload: message(bytes, MORE) };
  const last: Frame = { ...more, code: LAST_CODE, payload: message(bytes, LAST) };
  const some = new Array<Frame>(AT_A_TIME).fill(more);
  const small = bytes <= 4_096;
  const answers = lastAnswer(link);
  return async (count) => {
    const answered = answers();
    for (let left = count - 1; left > 0;) {
      const frames = left < some.length ? some.slice(0, left) : some;
      if (small) await link.sendAll(frames);
      const taken = small ? frames.length : link.trySendAll(frames);
      if (taken === 0) await link.send(more);
      left -= taken || 1;
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
  const send = (body: Uint8Array, code: number): Promise<unknown> =>
    link.sendStream(body, { ...HEAD, code, flags: FLAGS.EVENT, corrId: corrId++ });
  return async (count) => {
    const answered = answers();
    let before = Promise.resolve<unknown>(undefined);
    for (let left = count - 1; left > 0; left--) {
      const sent = send(more, 0);
      await before;
      before = sent;
    }
    await before;
    await send(last, LAST_CODE);
    return { messages: await answered, bytes: 0, sum: 0 };
  };
}

function lastAnswer(link: FramedConnection): () => Promise<number> {
  let done: (n: number) => void = () => {};
  link.onBatch((batch) => done(batch.length));
  return () => new Promise((resolve) => done = resolve);
}

/** So many requests on their way on each connection; each answer sends the next one. */
function asking(links: readonly FramedConnection[], job: Job): Run {
  const asks = links.map((link) => askingOn(link, job));
  return async (count) =>
    total(
      await Promise.all(asks.map((ask, i) => {
        const { from, to } = share(count, links.length, i);
        return ask(from, to);
      })),
    );
}

function askingOn(
  link: FramedConnection,
  { bytes, inflight }: Job,
): (from: number, to: number) => Promise<Tally> {
  const counting = new Counting();
  const payload = message(bytes, MORE);
  const view = new DataView(payload.buffer);
  const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
  let next = 0;
  let end = 0;
  let left = 0;
  let done: () => void = () => {};
  // Small frames are copied when they are sent: one object does for all.
  const request = { ...HEAD, flags, corrId: 0n, payload };
  const ask = (corrId: bigint): void => {
    if (next >= end) return;
    view.setUint32(NUMBER_AT, next++);
    request.corrId = corrId;
    link.trySend(request);
  };
  link.onBatch((batch) => {
    batch.forEach((frame) => {
      counting.messages++;
      counting.bytes += frame.payloadBytes;
      counting.sum += numberOf(frame.bytes, frame.payloadAt);
      ask(frame.corrId);
    });
    left -= batch.length;
    if (left === 0) done();
  });
  return async (from, to) => {
    next = from;
    end = to;
    left = to - from;
    if (left === 0) return counting.take();
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
        counting.sum += numberOf(answer.payload);
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
    connect(job, port, (links) => {
      if (job.kind === "ask") return asking(links, job);
      const link = links[0] as FramedConnection;
      return job.bytes > MAX_PAYLOAD_BYTES ? streaming(link, job) : flowing(link, job);
    }),
};

/** The same, with `request()` for `ask`. */
export const oursByRequest: Peer = {
  serve,
  connect: (job, port) =>
    connect(job, port, (links) => requesting(links[0] as FramedConnection, job)),
};
