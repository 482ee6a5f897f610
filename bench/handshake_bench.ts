/**
 * A TLS connection over loopback, from dialling to both ends closed, against `node:tls` alone.
 *
 * @module
 */

import * as tls from "node:tls";
import { type Listener, Transport } from "../mod.ts";
import { throwAwayCertificate } from "../src/testing/certificate.ts";
import { bench } from "./harness.ts";

interface Ours {
  readonly listener: Listener;
  readonly client: Transport;
}

let material: Promise<{ readonly cert: string; readonly key: string }> | undefined;
let ours: Promise<Ours> | undefined;
let theirs: Promise<number> | undefined;

function certificate(): Promise<{ readonly cert: string; readonly key: string }> {
  return material ??= throwAwayCertificate();
}

async function listen(): Promise<Ours> {
  const certified = await certificate();
  const listener = await new Transport().listen({
    address: "tls://127.0.0.1:0",
    tls: () => certified,
    onConnection: async (connection) => {
      while (await connection.read(new Uint8Array(1)) !== null);
    },
  });
  return { listener, client: new Transport() };
}

async function raw(): Promise<number> {
  const { cert, key } = await certificate();
  const server = tls.createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) => {
    socket.on("error", () => {}).on("end", () => socket.end()).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

bench({
  id: "bench_handshake_tls_loopback",
  group: "bench_handshake_tls_loopback",
  wait: async () => {
    const { listener, client } = await (ours ??= listen());
    const { cert } = await certificate();
    const connection = await client.dial(listener.address, { tls: { ca: cert } });
    await connection.close();
  },
});
bench({
  id: "bench_handshake_tls_loopback.node_tls",
  group: "bench_handshake_tls_loopback",
  baseline: true,
  wait: async () => {
    const port = await (theirs ??= raw());
    const { cert } = await certificate();
    await new Promise<void>((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port, ca: cert, minVersion: "TLSv1.3" });
      socket.once("secureConnect", () => socket.end()).once("error", reject);
      socket.once("close", () => resolve()).resume();
    });
  },
});
