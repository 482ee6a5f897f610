/**
 * WHATWG streams over a connection, for those who want them.
 *
 * @module
 */

import type { Connection } from "./connection.ts";

const READ_BYTES = 65_536;

/** A byte stream that reads on demand. */
export function readableOf(connection: Connection): ReadableStream<Uint8Array> {
  const source: UnderlyingByteSource = {
    type: "bytes",
    autoAllocateChunkSize: READ_BYTES,
    async pull(controller) {
      // There always is a request: the stream allocates for readers that bring no buffer.
      const request = controller.byobRequest!;
      const view = request.view!;
      const into = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const n = await connection.read(into);
      if (n === null) controller.close();
      request.respond(n ?? 0);
    },
    cancel: (reason) => connection.abort(reason),
  };
  return new ReadableStream(source, { highWaterMark: 0 }) as ReadableStream<Uint8Array>;
}

/** A stream whose writes wait for room; closing it ends our side. */
export function writableOf(connection: Connection): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (bytes) => connection.write(bytes),
    close: () => connection.closeWrite(),
    abort: (reason) => connection.abort(reason),
  });
}
