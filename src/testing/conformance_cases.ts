/**
 * The cases of the conformance suite.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { deferred } from "../deferred.ts";
import { TransportError } from "../errors.ts";
import type { ConformanceEnds } from "./conformance.ts";

type Check = (ends: ConformanceEnds) => Promise<void>;

/** What must hold where one side can end alone, and how it is checked. */
export const HALF_CLOSE_CASES: Readonly<Record<string, Check>> = {
  "an end that was closed for writing still receives": async (ends) => {
    const { near, far } = await connect(ends);
    await near.write(pattern(10, 1));
    near.closeWrite();
    equal((await drain(far)).length, 10);
    const answering = far.write(pattern(200_000, 2)).then(() => far.closeWrite());
    equal((await drain(near)).length, 200_000);
    await answering;
    equal((await near.closed).kind, "closed");
  },

  "closing a WHATWG stream ends one side, and the other still arrives": async (ends) => {
    const listener = await ends.listen({
      onConnection: (connection) => connection.readable.pipeTo(connection.writable),
    });
    const near = await ends.dial(listener);
    const sent = pattern(1_500_000, 9);
    const writer = near.writable.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    const got = new Uint8Array(await new Response(near.readable).arrayBuffer());
    await writing;
    equalBytes(got, sent);
  },
};

/** What must hold everywhere, and how it is checked. */
export const CASES: Readonly<Record<string, Check>> = {
  "bytes arrive whole and in order, both ways at once": async (ends) => {
    const { near, far } = await connect(ends);
    const a = pattern(3_000_000, 1);
    const b = pattern(2_000_000, 2);
    const [gotA, gotB] = await Promise.all([
      receive(far, a.length),
      receive(near, b.length),
      near.write(a),
      far.write(b),
    ]);
    equalBytes(gotA, a);
    equalBytes(gotB, b);
    const closing = near.close();
    equal((await drain(far)).length, 0);
    await far.close();
    await closing;
    equal((await near.closed).kind, "closed");
    equal((await far.closed).kind, "closed");
  },

  "a reader that is behind fills the inbox, and loses nothing": async (ends) => {
    const { near, far } = await connect(ends);
    const piece = pattern(65_536, 3);
    let sent = 0;
    let busy: unknown;
    for (let i = 0; i < 1_000 && busy === undefined; i++) {
      try {
        near.tryWrite(piece);
        sent++;
      } catch (error) {
        busy = error;
      }
    }
    equal(TransportError.is(busy) && busy.kind, "busy");
    const got = await receive(far, sent * piece.length);
    const closing = near.close();
    equal((await drain(far)).length, 0);
    await far.close();
    await closing;
    for (let i = 0; i < sent; i++) {
      equalBytes(got.subarray(i * piece.length, (i + 1) * piece.length), piece);
    }
  },

  "the end of input is seen by a reader that paused before it": async (ends) => {
    const { near, far } = await connect(ends);
    const sending = near.write(pattern(5_000_000, 4)).then(() => near.close());
    const buffer = new Uint8Array(300_000);
    let got = 0;
    for (;;) {
      const n = await far.read(buffer);
      if (n === null) break;
      got += n;
      await turn();
    }
    await far.close();
    await sending;
    equal(got, 5_000_000);
  },

  "memory is free again once a write resolves": async (ends) => {
    const { near, far } = await connect(ends);
    const reading = drain(far);
    const memory = new Uint8Array(100_000);
    for (let i = 0; i < 20; i++) {
      memory.fill(i);
      await near.write(memory);
    }
    memory.fill(0xff);
    const closing = near.close();
    const got = await reading;
    await far.close();
    await closing;
    equal(got.length, 2_000_000);
    for (let i = 0; i < got.length; i += 997) equal(got[i], Math.floor(i / 100_000));
  },

  "an orderly close is seen as such by both": async (ends) => {
    const { near, far } = await connect(ends);
    await near.write(pattern(100, 5));
    const closing = near.close();
    equal((await drain(far)).length, 100);
    await far.close();
    await closing;
    await near.close();
    equal((await near.closed).kind, "closed");
    equal((await far.closed).kind, "closed");
  },

  "an abort is told to the peer, and to whoever waits": async (ends) => {
    const { near, far } = await connect(ends);
    // Whoever reads is told; Node 20 hides a reset in the first moments of TLS behind a plain end.
    const seen = far.read(new Uint8Array(1)).then(() => far.close(), () => {});
    const waiting = near.read(new Uint8Array(1)).then(() => undefined, (error) => error);
    near.abort();
    await seen;
    equal(TransportError.is(await waiting), true);
    equal((await near.closed).kind, "aborted");
    const reason = await far.closed;
    equal(reason.kind === "io_closed" || reason.kind === "closed", true);
    equal(near.signal.aborted, true);
  },

  "one read at a time; none after a close": async (ends) => {
    const { near } = await connect(ends);
    const first = near.read(new Uint8Array(1)).catch(() => {});
    equal(await kindOf(near.read(new Uint8Array(1))), "misuse");
    near.abort();
    await first;
    equal(await kindOf(near.write(new Uint8Array(1))), "misuse");
  },

  "a read can be given up by its signal, and the next one reads on": async (ends) => {
    const { near, far } = await connect(ends);
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const reading = far.read(new Uint8Array(1), { signal: controller.signal })
      .catch((error) => error);
    controller.abort(reason);
    equal(await reading, reason);
    await near.write(pattern(5, 6));
    const buffer = new Uint8Array(5);
    let n = 0;
    while (n < 5) n += (await far.read(buffer.subarray(n))) ?? 5;
    equalBytes(buffer, pattern(5, 6));
  },

  "a dial can be given up by its signal": async (ends) => {
    const listener = await ends.listen({ onConnection: (connection) => connection.closed.then() });
    const controller = new AbortController();
    const reason = new Error("not now");
    const dialling = ends.dial(listener, controller.signal).catch((error) => error);
    controller.abort(reason);
    equal(await dialling, reason);
  },

  "no more than max_conns connections are let in, and a slot comes back": async (ends) => {
    const listener = await ends.listen({
      onConnection: (connection) => drain(connection).then(() => {}, () => {}),
    });
    const good: Connection[] = [];
    for (let i = 0; i < 8; i++) good.push(await ends.dial(listener));
    for (const connection of good) await echoless(connection);
    const extra = await ends.dial(listener).then(
      (connection) => connection.read(new Uint8Array(1)).catch(() => null),
      () => null,
    );
    equal(extra, null);
    equal(ends.server.counters().rejected.peer_limit >= 1, true);
    await good[0]!.close();
    while (ends.server.counters().inflight >= 8) await turn();
    await echoless(await ends.dial(listener));
  },

  "a closed listener ends its iteration and refuses dials": async (ends) => {
    const listener = await ends.listen();
    const iterating = (async () => {
      let n = 0;
      for await (const connection of listener) {
        n++;
        await connection.read(new Uint8Array(1));
        connection.abort();
      }
      return n;
    })();
    const connection = await ends.dial(listener);
    await connection.write(new Uint8Array(1));
    await gone(connection);
    await listener.close();
    equal(await iterating, 1);
    equal(await isRefused(ends.dial(listener)), true);
  },

  "a drain lets what was written arrive, then nothing is let in": async (ends) => {
    const accepted = deferred<void>();
    const listener = await ends.listen({
      onConnection: async (connection) => {
        const writing = connection.write(pattern(1_000_000, 7));
        accepted.resolve();
        await writing;
        await connection.closed;
      },
    });
    const near = await ends.dial(listener);
    const got = drain(near).then(async (bytes) => {
      await near.close();
      return bytes;
    });
    await near.write(new Uint8Array(1));
    await accepted.promise;
    await ends.server.drain();
    equal((await got).length, 1_000_000);
    equal(ends.server.readiness.state, "NotReady");
    equal(await isRefused(ends.dial(listener)), true);
  },

  "a handler that throws breaks off its connection and no other": async (ends) => {
    let calls = 0;
    const listener = await ends.listen({
      onConnection: async (connection) => {
        await connection.read(new Uint8Array(1));
        if (calls++ === 0) throw new Error("a bug of the host");
        await connection.write(pattern(3, 8));
      },
    });
    const first = await ends.dial(listener);
    const second = await ends.dial(listener);
    await first.write(new Uint8Array(1));
    await gone(first);
    await second.write(new Uint8Array(1));
    equalBytes(await drain(second), pattern(3, 8));
  },

  "what is known of a connection is the same at both ends": async (ends) => {
    const { near, far } = await connect(ends);
    equal(near.info.role, "dialer");
    equal(far.info.role, "listener");
    equal(near.info.backend, far.info.backend);
    equal(near.info.local?.port, far.info.remote?.port);
    equal(near.info.tls?.alpn, far.info.tls?.alpn);
  },

  "WHATWG streams carry the same bytes": async (ends) => {
    const listener = await ends.listen({
      onConnection: (connection) => connection.readable.pipeTo(connection.writable),
    });
    const near = await ends.dial(listener);
    const sent = pattern(1_500_000, 9);
    const writing = near.writable.getWriter().write(sent);
    let at = 0;
    for await (const part of near.readable) {
      equalBytes(part, sent.subarray(at, at += part.length));
      if (at === sent.length) break;
    }
    await writing;
    equal(at, sent.length);
  },
};

async function connect(ends: ConformanceEnds): Promise<{ near: Connection; far: Connection }> {
  const accepted = deferred<Connection>();
  const listener = await ends.listen({
    onConnection: (connection) => {
      accepted.resolve(connection);
      return connection.closed.then();
    },
  });
  const near = await ends.dial(listener);
  return { near, far: await accepted.promise };
}

/** All bytes until the end of input. */
async function drain(connection: Connection): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) break;
    parts.push(buffer.slice(0, n));
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Exactly so many bytes. */
async function receive(connection: Connection, bytes: number): Promise<Uint8Array> {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) {
    const n = await connection.read(all.subarray(at));
    if (n === null) throw new Error(`The input ended after ${at} of ${bytes} bytes`);
    at += n;
  }
  return all;
}

/** Waits until the peer has gone, and goes too: not every backend tells a break from an end. */
async function gone(connection: Connection): Promise<void> {
  await drain(connection).catch(() => {});
  await connection.close();
}

/** Proves that a connection is let in: it takes a byte, and stays. */
async function echoless(connection: Connection): Promise<void> {
  await connection.write(new Uint8Array(1));
  equal(connection.signal.aborted, false);
}

function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255;
  return bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Nobody listens there any more; on Tor nobody says so, and only time tells. */
async function isRefused(dialling: Promise<Connection>): Promise<boolean> {
  const kind = await kindOf(dialling);
  return kind === "io_closed" || kind === "timeout";
}

async function kindOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return TransportError.is(error) ? error.kind : error;
  }
}

function equal(got: unknown, wanted: unknown): void {
  if (!Object.is(got, wanted)) {
    throw new Error(`Expected ${String(wanted)}, got ${String(got)}`);
  }
}

function equalBytes(got: Uint8Array, wanted: Uint8Array): void {
  equal(got.length, wanted.length);
  for (let i = 0; i < got.length; i++) {
    if (got[i] !== wanted[i]) throw new Error(`Byte ${i}: expected ${wanted[i]}, got ${got[i]}`);
  }
}
