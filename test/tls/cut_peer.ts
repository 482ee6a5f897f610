/**
 * A client in a process of its own, whose stream is cut while the server looks away:
 *
 *   cut_peer.ts PORT ROOT KEEP
 *
 * Dials, sends `WARM_BYTES`, waits for a line, and sends more, of which KEEP bytes of ciphertext
 * arrive, all at once and with a FIN right behind. `all` is everything, its own end included.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { Transport } from "../../mod.ts";
import { cutter, LARGE_BYTES, WARM_BYTES } from "./cutter.ts";

const [port = "", root = "", keep] = process.argv.slice(2);
const proxy = await cutter(Number(port));
const client = new Transport();
const connection = await client.dial(`tls://127.0.0.1:${proxy.port}`, {
  tls: { ca: root, serverName: "localhost" },
});
await connection.write(new Uint8Array(WARM_BYTES));
for await (const _ of createInterface({ input: process.stdin })) {
  proxy.wire.collect("up");
  const size = keep === "all" ? LARGE_BYTES : LARGE_BYTES + 100_000;
  const sent = connection.write(new Uint8Array(size)).then(() => connection.closeWrite());
  await proxy.wire.kept("up", size + 2);
  proxy.wire.release("up", keep === "all" ? undefined : Number(keep));
  await sent;
  console.log("sent");
}
process.exit(0);
