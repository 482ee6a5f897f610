/**
 * A program to be started by tests: it has nothing to do but one thing that a rate or the byte budget
 * puts off, and says that it was done. A runtime that sees nothing to wait for would end it before.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { ByteBudget, type Connection, Transport } from "../../mod.ts";
import { encodeFrame, FLAGS, framed } from "../../src/oap/mod.ts";

const [what = "", address = "", ca] = process.argv.slice(2);
/** At 60 000 bytes a second, of which half a second's worth passes at once. */
const BYTES = 60_000;
const PACED = { rates: { per_conn_bytes_per_sec: BYTES }, idle_timeout: "30s" };
const DIAL = ca === undefined ? {} : { tls: { ca, serverName: "localhost" } };

const work = { read, write, close }[what];
if (work === undefined) throw new Error(`no such work: "${what}"`);
// Not awaited by the module: Bun would stay for that alone.
work().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

/** What the peer has sent at once comes by and by. */
async function read(): Promise<void> {
  const connection = await new Transport(PACED).dial(address, DIAL);
  const buffer = new Uint8Array(16_384);
  let bytes = 0;
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) break;
    bytes += n;
  }
  await connection.close();
  console.log(`read ${bytes}`);
}

/** The peer has ended its side, and nothing comes in any more. */
async function write(): Promise<void> {
  const connection = await new Transport(PACED).dial(address, DIAL);
  while (await connection.read(new Uint8Array(1_024)) !== null);
  await connection.write(new Uint8Array(BYTES));
  await connection.close();
  console.log("wrote");
}

/** Connections that wait for a share of the budget, whose peers are gone. */
async function close(): Promise<void> {
  const budget = new ByteBudget(16 * 1_048_576);
  const server = new Transport({}, { budget });
  const listener = await server.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection: Connection) => {
      framed(connection).onBatch(() => {});
      await connection.closed;
    },
  });
  const frame = encodeFrame({
    flags: FLAGS.EVENT,
    code: 0,
    appProtoId: 7,
    tenantId: 0n,
    corrId: 1n,
    payload: new Uint8Array(1_048_576 - 38),
  }).slice(0, 100_000);
  const sockets: Socket[] = [];
  for (let i = 0; i < 150; i++) {
    const socket = connect(listener.address.port!, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(frame);
    sockets.push(socket);
  }
  while (budget.waiting === 0) await delay(5);
  for (const socket of sockets) socket.destroy();
  await server.close();
  console.log(`closed, ${budget.used} bytes held`);
}
