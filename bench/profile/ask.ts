/**
 * Asks an address for so many milliseconds, 64 requests of 64 B in flight. Prints how many were answered.
 *
 *   ask.ts ADDRESS MS
 *
 * @module
 */

import process from "node:process";
import { Transport } from "../../mod.ts";
import { FLAGS, type Frame, framed } from "../../src/oap/mod.ts";
import { noise } from "../data.ts";

const IN_FLIGHT = 64;
const [address = "", ms = "0"] = process.argv.slice(2);
const transport = new Transport();
const link = framed(await transport.dial(address));
const payload = noise(64);
const end = performance.now() + Number(ms);
let corr = 0n;
let answered = 0;

async function ask(): Promise<void> {
  while (performance.now() < end) {
    const corrId = ++corr;
    const head = {
      flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
      code: 0,
      appProtoId: 7,
      tenantId: 1n,
    };
    const request: Frame = { ...head, corrId, payload };
    const answer = await link.request(request);
    if (answer.payload.length !== payload.length) throw new Error("ask: another answer came");
    answered++;
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
console.log(JSON.stringify(answered));
await link.close();
await transport.close();
