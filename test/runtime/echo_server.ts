/**
 * A server to be started by tests: echoes on the address given, and for each line of its input
 * writes what it has counted and the processor time it took.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { formatAddress, Transport } from "../../mod.ts";
import { throwAwayCertificate } from "../../src/testing/mod.ts";

// Deno makes what it needs for signals when first asked, and panics when it has no descriptor for it.
process.on("SIGINT", () => process.exit(130));

const [address = ""] = process.argv.slice(2);
const tls = address.startsWith("tls:");
const material = tls ? await throwAwayCertificate() : undefined;
const transport = new Transport({
  max_conns: 65_536, // so that the bound on handshakes is not met before that on descriptors
  per_peer: { max_conns: 0 },
  ...(tls ? { backend: "tls" as const, tls: { enabled: true } } : {}),
});
const listener = await transport.listen({
  address,
  ...(material === undefined ? {} : { tls: () => material }),
  async onConnection(connection) {
    const buffer = new Uint8Array(64);
    for (;;) {
      const n = await connection.read(buffer).catch(() => null);
      if (n === null) return;
      await connection.write(buffer.slice(0, n));
    }
  },
});
console.log(JSON.stringify({ listening: formatAddress(listener.address), ca: material?.cert }));

for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  const { acceptFaults, inflight } = transport.counters();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1_000, acceptFaults, inflight }));
}
await transport.close();
