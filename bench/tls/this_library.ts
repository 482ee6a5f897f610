/**
 * This library, as an end of the TLS benchmark.
 *
 * @module
 */

import { type Connection, Transport } from "../../mod.ts";
import { runtimeName } from "../../test/runtimes.ts";
import { block, greetingBlock, HOST, type Way } from "./roles.ts";

/** See the module. */
export function ours(): Way {
  const limits = { max_conns: 4_096, per_peer: { max_conns: 0 }, dial_timeout: "30s" };
  const server = new Transport({ ...limits, backend: "tls", tls: { enabled: true } });
  const client = new Transport(limits);
  const dial = (port: number, cert: string): Promise<Connection> =>
    client.dial(`tls://${HOST}:${port}`, { tls: { ca: cert } });
  /** As `data` events of the others: bytes by a callback, till so many are there or the end. */
  const take = (connection: Connection, bytes = Infinity): Promise<void> =>
    new Promise((resolve) => {
      let taken = 0;
      connection.attach(() => ({
        push({ length }) {
          taken += length;
          if (taken >= bytes) resolve();
          return { retained: 0, owed: 0, completed: 1, pause: false };
        },
        end: resolve,
        closed: () => resolve(),
      }));
    });
  return {
    name: "ours",
    async serve(pair, greeting) {
      const listener = await server.listen({
        address: `tls://${HOST}:0`,
        tls: () => pair,
        async onConnection(connection) {
          const piece = greetingBlock(greeting);
          for (let sent = 0; sent < greeting; sent += piece.length) await connection.write(piece);
          await take(connection);
        },
      });
      return listener.address.port ?? 0;
    },
    async send(port, cert, { bytes, write, greeting }) {
      const piece = block(write);
      const connection = await dial(port, cert);
      for (let sent = 0; sent < bytes; sent += piece.length) await connection.write(piece);
      if (greeting > 1) await take(connection, greeting);
      await connection.close();
    },
    async handshake(port, cert) {
      const start = performance.now();
      const connection = await dial(port, cert);
      const ms = performance.now() - start;
      connection.abort();
      return ms;
    },
    async resumed(port, cert, count) {
      const all: number[] = [];
      for (let i = 0; i <= count; i++) {
        const start = performance.now();
        const connection = await dial(port, cert);
        all.push(performance.now() - start);
        await connection.read(new Uint8Array(1));
        connection.abort();
      }
      return runtimeName() === "deno" ? [] : all.slice(1); // Deno does not
    },
  };
}
