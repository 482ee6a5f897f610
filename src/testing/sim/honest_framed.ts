/**
 * Honest clients of the framed port: requests, streams, events and HELLO.
 *
 * @module
 */

import { corrIds } from "../../oap/corr_ids.ts";
import { FLAGS, type Frame } from "../../oap/frame.ts";
import { framed, type FramedConnection } from "../../oap/framed.ts";
import { type Client, isKind } from "./honest.ts";
import { fill } from "./pattern.ts";
import { APPS, numbered } from "./protocol.ts";
import type { Known } from "./world.ts";

/** Virtual milliseconds that a request is given; far more than any limit of the server delays it. */
const PATIENCE_MS = 90_000;

/** Runs one. */
export async function runFramedClient(client: Client): Promise<void> {
  const { world, draw } = client;
  const rounds = draw.int(1, 2);
  for (let i = 0; i < rounds && !world.ending; i++) {
    const connection = await client.dial("tcp://10.0.0.1:1");
    if (connection === undefined) break;
    const session = new Session(
      client,
      framed(connection, {
        requestTimeoutMs: PATIENCE_MS,
        corrIds: corrIds(1n << 40n),
        ...(draw.chance(0.2) ? { ping: { intervalMs: 500, timeoutMs: 80_000 } } : {}),
      }),
      client.known(connection),
    );
    await session.run();
    if (draw.chance(0.2)) connection.abort();
    else await session.close();
    await world.sleep(draw.between(0, 200));
  }
  await client.end();
}

/** What one connection is used for. */
class Session {
  readonly #client: Client;
  readonly #connection: FramedConnection;
  readonly #known: Known | undefined;
  readonly #key: number;
  #seq = 0;
  /** Requests whose answer may still be owed: given up, or never to be answered. */
  #owed = 0;

  constructor(client: Client, connection: FramedConnection, known: Known | undefined) {
    this.#client = client;
    this.#connection = connection;
    this.#known = known;
    this.#key = client.draw.int(0, 60_000);
  }

  async run(): Promise<void> {
    const { draw, world } = this.#client;
    const steps = draw.int(1, 7);
    // Its frames may be larger than the server takes, before it has asked.
    await this.#work("HELLO", () => this.#connection.hello("sim"));
    for (let i = 0; i < steps && !world.ending; i++) {
      switch (draw.int(0, 9)) {
        case 0:
        case 1:
          await Promise.all(Array.from({ length: draw.int(2, 9) }, () => this.#echo(APPS.echo)));
          break;
        case 2:
          await this.#echo(APPS.slow);
          break;
        case 3:
          await this.#upload();
          break;
        case 4:
          await this.#burst();
          break;
        case 5:
          await this.#giveUp();
          break;
        case 6:
          await this.#work("HELLO", () => this.#connection.hello("sim"));
          break;
        case 7:
          await world.sleep(draw.between(0, 900));
          break;
        default:
          await this.#echo(APPS.echo);
      }
      const { inflight } = this.#connection;
      // A ping may be one of them.
      if (inflight > 1) world.fail("nothing is left", `${inflight} requests that nobody waits for`);
    }
  }

  /** Closes in order; where nothing is in the way, that must succeed. */
  async close(): Promise<void> {
    await this.#connection.close();
    const { kind } = await this.#connection.closed;
    const { client, world } = { client: this.#client, world: this.#client.world };
    const paced = Object.values(world.subjects[0]!.transport.config.rates).some((rate) => rate > 0);
    if (kind === "closed" || paced || this.#owed > 0 || client.excused(this.#known)) return;
    world.fail("honest work succeeds", `${client.name}: an orderly close ended as ${kind}`);
  }

  #frame(app: number, bytes: number): Frame {
    return numbered(app, this.#key, this.#seq++, bytes);
  }

  #bytes(): number {
    const { draw, world } = this.#client;
    if (world.heavy && draw.chance(0.5)) {
      // Others hold the memory that it needs: it may have to give up, whatever it does.
      if (this.#known !== undefined) this.#known.faulty = true;
      return draw.int(100_000, 900_000);
    }
    return draw.size(0, Math.min(60_000, world.plan.largest));
  }

  #work<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    const { name, world } = this.#client;
    return world.work(`${name} ${what}`, run, () => this.#client.excused(this.#known));
  }

  async #echo(app: number): Promise<void> {
    const bytes = this.#bytes();
    const frame = this.#frame(app, bytes);
    const answer = await this.#work(
      `asks ${frame.corrId} (${bytes} B)`,
      () => this.#connection.request(frame),
    );
    if (answer === undefined) return;
    const { world, name } = this.#client;
    if (answer.code === 429 && this.#owed > 0) return;
    if (answer.code === 503 && world.ending) return; // a server that drains takes nothing new
    if (answer.code !== 200 || !same(answer.payload, frame.payload)) {
      world.fail(
        "bytes in order",
        `${name}: ${frame.corrId} was answered ${answer.code} with ${answer.payload.length} B`,
      );
    }
  }

  async #upload(): Promise<void> {
    const { draw, world, name } = this.#client;
    const total = draw.size(0, 2 * world.plan.largest);
    const id = (BigInt(this.#seq++) << 16n) | BigInt(this.#key);
    const body = fill(new Uint8Array(total), this.#key, 0);
    const head = {
      flags: FLAGS.REQ,
      code: 0,
      appProtoId: APPS.upload,
      tenantId: 0n,
      corrId: id,
    };
    await this.#work(`streams ${total} B`, async () => {
      const { bytes } = await this.#connection.sendStream(body, head);
      body.fill(0xee); // it is ours again: nobody may look at it any more
      if (bytes !== total) world.fail("bytes in order", `${name}: ${bytes} of ${total} were sent`);
    });
    this.#owed++; // its answer comes to nobody
  }

  /** More frames at once than the inbox holds: the rest waits in line. */
  async #burst(): Promise<void> {
    const { draw, world } = this.#client;
    const n = draw.pick([20, 200, 300, 450]);
    const most = Math.min(draw.pick([40, 400, 20_000]), Math.ceil(world.plan.largest * 4 / n));
    // Large ones, for which there is no room, must not be overtaken by small ones, for which there is.
    const large = world.heavy && draw.chance(0.6);
    if (large && this.#known !== undefined) this.#known.faulty = true;
    await this.#work(`sends ${n} events`, async () => {
      await Promise.all(Array.from({ length: large ? 16 : n }, async (_, i) => {
        const bytes = large && i % 2 === 0 ? draw.int(500_000, 1_000_000) : draw.size(0, most);
        const frame = this.#frame(APPS.event, bytes);
        try {
          await this.#connection.send(frame);
          frame.payload.fill(0xee); // it is ours again
        } catch (error) {
          if (!isKind(error, "busy")) throw error; // the line has 256 places
        }
      }));
    });
  }

  /** A request that is given up, by its signal or its time. */
  async #giveUp(): Promise<void> {
    const { draw, world } = this.#client;
    const controller = new AbortController();
    const frame = this.#frame(draw.pick([APPS.never, APPS.slow]), this.#bytes());
    const ms = draw.int(1, 300);
    this.#owed++;
    if (draw.chance(0.5)) world.after(ms, () => controller.abort(new Error("given up")));
    const before = world.clock.now();
    await this.#connection.request(frame, { signal: controller.signal, timeoutMs: ms * 2 })
      .catch(() => {});
    if (world.clock.now() - before > ms * 2 + 2) {
      world.fail("no deadlock", `a request of ${ms * 2} ms took ${world.clock.now() - before} ms`);
    }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
