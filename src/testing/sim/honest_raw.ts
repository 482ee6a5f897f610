/**
 * Honest clients of the raw port: every byte comes back, once and in order.
 *
 * @module
 */

import type { Connection } from "../../connection.ts";
import { TransportError } from "../../errors.ts";
import { type Client, isKind } from "./honest.ts";
import { fill, mismatch } from "./pattern.ts";

/** Runs one. */
export async function runRawClient(client: Client): Promise<void> {
  const { world, draw } = client;
  const rounds = draw.int(1, 2);
  for (let i = 0; i < rounds && !world.ending; i++) {
    const connection = await client.dial("tcp://10.0.0.1:2");
    if (connection === undefined) break;
    await exchange(client, connection);
    await world.sleep(draw.between(0, 200));
  }
  await client.end();
}

async function exchange(client: Client, connection: Connection): Promise<void> {
  const { world, draw, name } = client;
  const known = client.known(connection);
  const total = draw.size(0, world.plan.largest);
  const key = draw.int(0, 60_000);
  const excuse = (): boolean => client.excused(known);
  const writing = world.work(`${name} writes ${total} B`, async () => {
    for (let at = 0; at < total;) {
      at += await writePiece(client, connection, key, at, total);
      if (draw.chance(0.1)) await world.sleep(draw.between(0, 80));
    }
    connection.closeWrite();
  }, excuse);
  const got = await world.work(`${name} reads ${total} B`, async () => {
    const into = new Uint8Array(draw.size(Math.ceil(total / 100), 100_000) + 1);
    let at = 0;
    for (;;) {
      const n = await connection.read(into);
      if (n === null) return at;
      const wrong = mismatch(into.subarray(0, n), key, at);
      if (wrong >= 0) {
        world.fail("bytes in order", `${name}: byte ${at + wrong} is not what was sent`);
      }
      at += n;
      if (at > total) world.fail("in order, at most once", `${name}: ${at} of ${total} bytes came`);
    }
  }, excuse);
  await writing;
  if (got !== undefined && got !== total && !excuse()) {
    world.fail("bytes in order", `${name}: ${got} of ${total} bytes came back`);
  }
  if (draw.chance(0.3)) connection.abort();
  else await connection.close();
}

async function writePiece(
  { draw }: Client,
  connection: Connection,
  key: number,
  at: number,
  total: number,
): Promise<number> {
  const piece = fill(new Uint8Array(Math.min(total - at, draw.size(1, 60_000))), key, at);
  if (draw.chance(0.3)) {
    try {
      connection.tryWrite(piece);
      return piece.length;
    } catch (error) {
      if (!TransportError.is(error)) throw error;
      if (!isKind(error, "busy") && !isKind(error, "rate_limited")) throw error;
    }
  }
  await connection.write(piece);
  piece.fill(0xee); // it is ours again: nobody may look at it any more
  return piece.length;
}
