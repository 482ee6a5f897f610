/** A proxy that keeps the first bytes of each direction, and what they said about key exchange. */
import { connect, createServer, type Socket } from "node:net";
import { type KeyExchangeSeen, readKeyExchange } from "./hello.ts";

/** Enough for both hellos, a second ClientHello included. */
const KEPT = 8_192;

/** See the module. */
export interface Sniffer extends AsyncDisposable {
  readonly port: number;
  /** Of each connection so far, in their order. */
  seen(): KeyExchangeSeen[];
}

interface Wire {
  up: Uint8Array;
  down: Uint8Array;
}

/** Starts a proxy to a loopback port. */
export async function sniff(to: number): Promise<Sniffer> {
  const wires: Wire[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port: to, allowHalfOpen: true, noDelay: true });
    const wire: Wire = { up: new Uint8Array(0), down: new Uint8Array(0) };
    wires.push(wire);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    near.on("data", (bytes: Uint8Array) => {
      wire.up = kept(wire.up, bytes);
      far.write(bytes);
    });
    far.on("data", (bytes: Uint8Array) => {
      wire.down = kept(wire.down, bytes);
      near.write(bytes);
    });
    near.on("end", () => far.end()).on("close", () => far.destroy());
    far.on("end", () => near.end()).on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    seen: () => wires.map(({ up, down }) => readKeyExchange(up, down)),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function kept(before: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (before.length >= KEPT) return before;
  const joined = new Uint8Array(before.length + bytes.length);
  joined.set(before);
  joined.set(bytes, before.length);
  return joined.subarray(0, KEPT);
}
