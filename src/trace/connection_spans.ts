/**
 * The spans of one connection, made when it is over.
 *
 * @module
 */

import { type Attributes, context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Tracer } from "@opentelemetry/api";
import { formatAddress } from "../address.ts";
import type { ConnectionInfo } from "../connection.ts";
import type { ConnectionClosed } from "../options.ts";

/**
 * Makes `transport.conn` and what is below it.
 *
 * @param peerAddress Whether the address of the other end may be in them.
 */
export function connectionSpans(
  tracer: Tracer,
  { info, reason, durationMs, bytesIn, bytesOut }: ConnectionClosed,
  peerAddress: boolean,
): void {
  const end = Date.now();
  const start = end - durationMs;
  const kind = info.role === "dialer" ? SpanKind.CLIENT : SpanKind.SERVER;
  const attributes = connectionAttributes(info, peerAddress);
  const parent = context.active();
  const connection = tracer.startSpan(
    "transport.conn",
    { kind, startTime: start, attributes },
    parent,
  );
  const below = trace.setSpan(parent, connection);
  const child = (name: string, from: number, to: number, attributes: Attributes): void =>
    tracer.startSpan(name, { startTime: from, attributes }, below).end(to);
  const usable = info.openedAfterMs === undefined ? end : start + info.openedAfterMs;
  const handshake = tracer.startSpan("transport.handshake", { startTime: start }, below);
  if (info.openedAfterMs === undefined) handshake.setStatus({ code: SpanStatusCode.ERROR });
  handshake.end(usable);
  if (bytesIn > 0) child("transport.read", usable, end, { bytes: bytesIn });
  if (bytesOut > 0) child("transport.write", usable, end, { bytes: bytesOut });
  if (reason.error !== undefined) {
    connection.setAttribute("error.type", reason.kind);
    // The text may tell whom somebody dialled over Tor.
    const message = info.backend === "arti" ? reason.kind : reason.error.message;
    connection.setStatus({ code: SpanStatusCode.ERROR, message });
  }
  connection.end(end);
}

function connectionAttributes(info: ConnectionInfo, peerAddress: boolean): Attributes {
  const { id, backend, local, remote } = info;
  const shown = peerAddress && backend !== "arti" ? remote : undefined;
  return {
    backend,
    conn_id: id,
    ...(local === undefined ? {} : { local_addr: formatAddress(local) }),
    ...(shown === undefined ? {} : { peer_addr: formatAddress(shown) }),
  };
}
