/** A server, a client and one request, with spans by whatever provider is registered. */
import { Transport } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";
import { tracing } from "../../src/trace/mod.ts";

const spans = tracing({ prefix: "test" });
const server = new Transport({}, spans.hooks());
const client = new Transport({}, spans.hooks());
const listener = await server.listen({
  address: "tcp://127.0.0.1:0",
  onConnection: async (connection) => {
    const peer = framed(connection);
    peer.onBatch((batch) =>
      batch.forEach((frame) =>
        spans.decode(
          frame,
          () => peer.trySend({ ...frame.toFrame(), flags: FLAGS.RESP, code: 200 }),
        )
      )
    );
    await peer.closed;
  },
});
const peer = framed(await client.dial(listener.address));
const payload = new Uint8Array(100);
const frame = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n, payload };
await spans.encode(frame, () => peer.request(frame), { seq: 1 });
await peer.close();
await client.drain();
await server.drain();
console.log("done");
