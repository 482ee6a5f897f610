/**
 * Answers requests on one connection until it ends. Prints its address as a line of JSON.
 *
 * @module
 */

import { formatAddress, Transport } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";

const transport = new Transport();
const ended = Promise.withResolvers<void>();
const listener = await transport.listen({
  address: "tcp://127.0.0.1:0",
  onConnection: (connection) => {
    const link = framed(connection);
    link.onBatch((batch) =>
      batch.forEach(({ flags, code, appProtoId, tenantId, corrId, payload }) => {
        if ((flags & FLAGS.REQ) === 0) return;
        link.trySend({ flags: FLAGS.RESP, code, appProtoId, tenantId, corrId, payload });
      })
    );
    return link.closed.then(() => ended.resolve());
  },
});
console.log(JSON.stringify(formatAddress(listener.address)));
await ended.promise;
await transport.close();
