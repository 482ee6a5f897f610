/**
 * The applications of the simulated server: frames on one port, raw bytes on another.
 *
 * @module
 */

import type { Connection } from "../../connection.ts";
import { TransportError } from "../../errors.ts";
import type { Listener } from "../../listener.ts";
import { corrIds } from "../../oap/corr_ids.ts";
import { FLAGS } from "../../oap/frame.ts";
import { framed, type FramedConnection } from "../../oap/framed.ts";
import type { FrameView } from "../../oap/frame_view.ts";
import type { Draw } from "./draw.ts";
import { mismatch } from "./pattern.ts";
import { APPS, readHead } from "./protocol.ts";
import type { Subject, World } from "./world.ts";

/** The server's two addresses. */
export interface Server {
  readonly subject: Subject;
  readonly frames: Listener;
  readonly raw: Listener;
}

/** Starts both. */
export async function startServer(world: World, subject: Subject): Promise<Server> {
  const draw = world.draw.fork();
  const frames = await subject.transport.listen({
    address: "tcp://10.0.0.1:1",
    onConnection: (connection) => serveFrames(world, draw.fork(), connection),
  });
  const raw = await subject.transport.listen({
    address: "tcp://10.0.0.1:2",
    onConnection: (connection) => serveRaw(world, draw.fork(), connection),
  });
  return { subject, frames, raw };
}

/** Sends back what comes, through a buffer of any size. */
async function serveRaw(world: World, draw: Draw, connection: Connection): Promise<void> {
  const into = new Uint8Array(draw.size(1 + Math.floor(world.plan.largest / 100), 100_000));
  const pause = draw.chance(0.3) ? draw.between(0, 20) : 0;
  try {
    for (;;) {
      const n = await connection.read(into);
      if (n === null) break;
      world.delivered += n;
      if (pause > 0) await world.sleep(pause);
      await connection.write(into.subarray(0, n));
    }
    connection.closeWrite();
    await connection.closed; // however slowly what was written goes out
  } catch (error) {
    if (!TransportError.is(error)) world.fail("typed errors", String(error));
    throw error;
  }
}

async function serveFrames(world: World, draw: Draw, connection: Connection): Promise<void> {
  const server = framed(connection, { checkBorrows: draw.chance(0.3), corrIds: corrIds(1n) });
  const app = new App(world, draw, server);
  if (draw.chance(0.5)) {
    server.onBatch((batch) => batch.forEach((frame) => app.take(frame)));
    await connection.closed;
    return;
  }
  // Slower than this, a burst in small receives would outlast the idle deadline.
  const pause = world.plan.maxReceive >= 4_096 && draw.chance(0.3) ? draw.between(0, 40) : 0;
  try {
    for await (const batch of server.batches()) {
      if (pause > 0) await world.sleep(pause);
      batch.forEach((frame) => app.take(frame));
    }
    await app.answered();
  } catch (error) {
    if (!TransportError.is(error)) world.fail("typed errors", String(error));
  }
}

/** What one connection asked for. */
class App {
  readonly #world: World;
  readonly #draw: Draw;
  readonly #connection: FramedConnection;
  readonly #streams = new Map<bigint, { key: number; bytes: number }>();
  readonly #answers = new Set<Promise<void>>();
  #last = -1;

  constructor(world: World, draw: Draw, connection: FramedConnection) {
    this.#world = world;
    this.#draw = draw;
    this.#connection = connection;
  }

  /** All answers that were owed are queued, or cannot be. */
  async answered(): Promise<void> {
    while (this.#answers.size > 0) await Promise.all(this.#answers);
  }

  take(frame: FrameView): void {
    this.#world.delivered += frame.len;
    if (frame.appProtoId === APPS.upload) return this.#upload(frame);
    if (frame.appProtoId === APPS.junk) return;
    const head = readHead(frame.payload);
    if (head === undefined || mismatch(frame.payload.subarray(8), head.key, head.seq) >= 0) {
      this.#world.fail("bytes in order", `a frame of ${frame.payloadBytes} B is not what was sent`);
      return;
    }
    if (head.seq <= this.#last) {
      this.#world.fail("in order, at most once", `frame ${head.seq} after ${this.#last}`);
    }
    this.#last = head.seq;
    if (frame.appProtoId === APPS.echo) this.#answer(frame, 0);
    if (frame.appProtoId === APPS.slow) this.#answer(frame, this.#draw.between(1, 300));
  }

  #upload(frame: FrameView): void {
    const { flags, corrId, payload, code } = frame;
    if ((flags & FLAGS.START) !== 0) {
      if (this.#streams.has(corrId)) this.#world.fail("in order, at most once", "a second START");
      this.#streams.set(corrId, { key: Number(corrId & 0xffffn), bytes: 0 });
    }
    const stream = this.#streams.get(corrId);
    if (stream === undefined) {
      this.#world.fail("in order, at most once", "a chunk of no stream");
      return;
    }
    const wrong = mismatch(payload, stream.key, stream.bytes);
    if (wrong >= 0) {
      this.#world.fail("bytes in order", `a stream is wrong at byte ${stream.bytes + wrong}`);
    }
    stream.bytes += payload.length;
    if ((flags & FLAGS.END) === 0) return;
    this.#streams.delete(corrId);
    if (code !== 0) return; // given up by its sender
    const total = new Uint8Array(8);
    new DataView(total.buffer).setUint32(0, stream.bytes);
    this.#reply(corrId, frame.appProtoId, total);
  }

  #answer(frame: FrameView, ms: number): void {
    const { corrId, appProtoId } = frame;
    if (ms === 0) return this.#reply(corrId, appProtoId, frame.payload);
    const payload = frame.copyPayload();
    this.#world.after(ms, () => this.#reply(corrId, appProtoId, payload));
  }

  #reply(corrId: bigint, appProtoId: number, payload: Uint8Array): void {
    const frame = {
      flags: FLAGS.RESP | FLAGS.START | FLAGS.END,
      code: 200,
      appProtoId,
      tenantId: 0n,
      corrId,
      payload,
    };
    const sent = this.#connection.send(frame).catch((error: unknown) => {
      if (!TransportError.is(error)) this.#world.fail("typed errors", String(error));
      else if (error.kind === "busy") this.#connection.close().catch(() => {});
    }).finally(() => this.#answers.delete(sent));
    this.#answers.add(sent);
  }
}
