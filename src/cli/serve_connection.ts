/**
 * One connection of a server: streams go to files, requests are echoed.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { FLAGS, type Frame, framed, type FramedConnection } from "../oap/mod.ts";
import { encodeReceipt } from "./receipt.ts";
import type { ServeEvents } from "./serve_events.ts";
import type { StreamStore, Taken } from "./store.ts";

/**
 * Serves a connection until it is over. A fault of the peer ends it and is told by the close event.
 *
 * @param connection The connection.
 * @param store Where streams go; absent to echo them.
 * @param events Whom to tell.
 * @returns Whether work was cut: streams were open when it ended.
 */
export async function serveConnection(
  connection: Connection,
  store: StreamStore | undefined,
  events: ServeEvents,
): Promise<boolean> {
  const link = framed(connection);
  try {
    for await (const batch of link.batches()) {
      events.busy();
      for (const frame of batch) {
        if (store?.append(frame) !== true) await answer(link, frame, store, events);
      }
    }
    await link.close();
  } catch {
    // The reason is in the connection's close event, which is told once, there.
    await connection.closed;
  }
  return (await store?.abandon() ?? 0) > 0;
}

async function answer(
  link: FramedConnection,
  frame: Frame,
  store: StreamStore | undefined,
  events: ServeEvents,
): Promise<void> {
  if (store?.isPart(frame) === true) {
    const taken = await store.take(frame);
    if (taken === undefined) return;
    tell(taken, events);
    await link.send(resultOf(taken, frame));
  } else if ((frame.flags & FLAGS.REQ) !== 0) {
    const flags = (frame.flags & ~(FLAGS.REQ | FLAGS.ACK_REQ)) | FLAGS.RESP;
    await link.send({ ...addressed(frame), flags, code: 200, payload: frame.payload });
  }
}

function tell(taken: NonNullable<Taken>, events: ServeEvents): void {
  if ("status" in taken) events.refused(taken.status, taken.why);
  else events.stored(taken);
}

function resultOf(taken: NonNullable<Taken>, frame: Frame): Frame {
  const head = { ...addressed(frame), flags: FLAGS.RESP };
  if (!("status" in taken)) return { ...head, code: 200, payload: encodeReceipt(taken) };
  return { ...head, code: taken.status, payload: new TextEncoder().encode(taken.why) };
}

function addressed(frame: Frame): Pick<Frame, "appProtoId" | "tenantId" | "corrId"> {
  return { appProtoId: frame.appProtoId, tenantId: frame.tenantId, corrId: frame.corrId };
}
