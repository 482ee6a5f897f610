/**
 * A client of the test network in a process of its own: bootstraps, and prints `ready` and its
 * memory in bytes. Then it obeys lines on stdin: `work PORT` (a stream by an exit, an onion service,
 * a stream to it), `exit` (leaves at once, by its exit hook). At the end of stdin it closes.
 *
 *     client.ts memory|state FOLDER
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { addon, dialOnion, echoed, echoStreams, network, pattern } from "../addon.ts";

const [kind, folder = ""] = process.argv.slice(2);
const place = kind === "memory" ? { memoryDir: folder } : { stateDir: folder };
const { start, removeMemoryDirsSync } = addon();
const client = await start({ config: network().toml(), ...place });
process.once("exit", removeMemoryDirsSync);
await client.bootstrapped(30_000);
await delay(500); // until circuits were built ahead
console.log("ready", process.memoryUsage().rss);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, port] = line.split(" ");
  if (command === "work") {
    const stream = await client.connect("127.0.0.1", Number(port), 20_000);
    await echoed(stream, pattern(100_000));
    stream.close();
    const listener = await client.serveOnion("amnesia", [1]);
    const served = echoStreams(listener);
    const own = await dialOnion(client, listener.address, 1);
    await echoed(own, pattern(100_000));
    own.close();
    await listener.close();
    await served;
    console.log("worked", process.memoryUsage().rss);
  } else if (command === "exit") process.exit(0);
}
await client.close();
console.log("closed");
