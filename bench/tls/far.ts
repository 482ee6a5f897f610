/**
 * The other end of the TLS benchmark, a process of its own: always `node:tls` on Bun, whose servers
 * prefer a hybrid key exchange. It obeys one JSON line at a time on its standard input. Its argument is how many
 * bytes a second server of it greets with.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { nodeTls, resumingHandshakes } from "./plain.ts";
import type { Sending } from "./roles.ts";

/** What it is asked. */
export type Order =
  | { readonly do: "handshakes"; readonly port: number; readonly cert: string; readonly n: number }
  | { readonly do: "resume"; readonly port: number; readonly cert: string; readonly n: number }
  | ({ readonly do: "send"; readonly port: number; readonly cert: string } & Sending)
  | {
    readonly do: "paced";
    readonly port: number;
    readonly cert: string;
    readonly n: number;
    readonly everyMs: number;
  };

const way = nodeTls();
const pair = await throwAwayCertificate();
const source = await way.serve(pair, Number(process.argv[2]));
console.log(JSON.stringify({ port: await way.serve(pair, 1), source, cert: pair.cert }));

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  const times: number[] = [];
  if (order.do === "send") await way.send(order.port, order.cert, order);
  else if (order.do === "resume") {
    times.push(...await resumingHandshakes(order.port, order.cert, order.n));
  } else if (order.do === "handshakes") {
    for (let i = 0; i < order.n; i++) times.push(await way.handshake(order.port, order.cert));
  } else {
    // when they are due, whether or not those before are done
    const start = performance.now();
    const all: Promise<number>[] = [];
    for (let i = 0; i < order.n; i++) {
      const wait = start + i * order.everyMs - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const due = performance.now() - (start + i * order.everyMs);
      all.push(way.handshake(order.port, order.cert).then((ms) => ms + Math.max(0, due)));
    }
    times.push(...await Promise.all(all));
  }
  console.log(JSON.stringify({ times }));
}
process.exit(0);
