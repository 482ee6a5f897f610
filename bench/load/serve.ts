/**
 * Answers over TLS: requests with their own payload, streams with an empty answer at their end. Prints its
 * address and certificate, and for each line on standard input what it has used so far.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { formatAddress, Transport } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";

const certificate = await throwAwayCertificate();
const transport = new Transport();
const listener = await transport.listen({
  address: "tls://127.0.0.1:0",
  tls: () => certificate,
  onConnection: (connection) => {
    const link = framed(connection);
    link.onBatch((batch) =>
      batch.forEach(({ flags, code, appProtoId, tenantId, corrId, payload }) => {
        if ((flags & FLAGS.REQ) === 0 || (flags & FLAGS.END) === 0) return;
        const whole = (flags & FLAGS.START) !== 0;
        const answer = {
          flags: FLAGS.RESP | FLAGS.START | FLAGS.END,
          code,
          appProtoId,
          tenantId,
          corrId,
        };
        link.trySend({ ...answer, payload: whole ? payload : new Uint8Array(0) });
      })
    );
    return link.closed.then(() => {});
  },
});
console.log(JSON.stringify({ address: formatAddress(listener.address), ca: certificate.cert }));
for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rss: process.memoryUsage().rss }));
}
await transport.close();
