/**
 * Sends an address frames of 64 KiB for so many milliseconds. Prints how many went out.
 *
 *   send.ts ADDRESS MS
 *
 * @module
 */

import process from "node:process";
import { Transport } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";
import { noise } from "../data.ts";

const IN_FLIGHT = 8;
const [address = "", ms = "0"] = process.argv.slice(2);
const transport = new Transport();
const link = framed(await transport.dial(address));
const payload = noise(65_536 - 38);
const event = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 1n, corrId: 1n, payload };
const end = performance.now() + Number(ms);
let sent = 0;

async function send(): Promise<void> {
  while (performance.now() < end) {
    await link.send(event);
    sent++;
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, send));
console.log(JSON.stringify(sent));
await link.close();
await transport.close();
