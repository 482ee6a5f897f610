/** Every backend passes the same cases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transport, type TransportConfig } from "../../mod.ts";
import {
  conformance,
  type ConformanceEnds,
  MemoryNetwork,
  throwAwayCertificate,
} from "../../src/testing/mod.ts";
import { after, describe, it } from "../harness.ts";

const LIMITS: TransportConfig = { max_conns: 8 };

/** Made with mode 0700, as a socket's directory must be. */
const DIRECTORY = mkdtempSync(join(tmpdir(), "ron-unix-"));
after(() => rmSync(DIRECTORY, { recursive: true }));
let sockets = 0;
const freePath = (): string => join(DIRECTORY, `${++sockets}.sock`);

const BACKENDS: Readonly<Record<string, () => ConformanceEnds | Promise<ConformanceEnds>>> = {
  memory() {
    const runtime = new MemoryNetwork({ seed: 11 });
    const server = new Transport(LIMITS, { runtime });
    const client = new Transport({}, { runtime });
    return {
      server,
      client,
      listen: (options) => server.listen({ address: "tcp://127.0.0.1:0", ...options }),
      dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
    };
  },
  tcp() {
    const server = new Transport(LIMITS);
    const client = new Transport();
    return {
      server,
      client,
      listen: (options) => server.listen({ address: "tcp://127.0.0.1:0", ...options }),
      dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
    };
  },
  async tls() {
    const { cert, key } = await throwAwayCertificate({ names: ["localhost", "127.0.0.1"] });
    const server = new Transport({ ...LIMITS, backend: "tls", tls: { enabled: true } });
    const client = new Transport();
    return {
      server,
      client,
      listen: (options) =>
        server.listen({
          address: "tls://127.0.0.1:0",
          tls: () => ({ cert, key }),
          ...options,
        }),
      dial: (listener, signal) =>
        client.dial(listener.address, { tls: { ca: cert }, ...(signal && { signal }) }),
    };
  },
};

/** Over a Unix socket, plain and with TLS. */
Object.assign(
  BACKENDS,
  {
    unix() {
      const server = new Transport(LIMITS);
      const client = new Transport();
      return {
        server,
        client,
        listen: (options) => server.listen({ address: `unix:${freePath()}`, ...options }),
        dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
      };
    },
    async "tls over unix"() {
      const { cert, key } = await throwAwayCertificate({ names: ["localhost"] });
      const server = new Transport({ ...LIMITS, backend: "tls", tls: { enabled: true } });
      const client = new Transport();
      return {
        server,
        client,
        listen: (options) =>
          server.listen({
            address: `unix:${freePath()}`,
            tls: () => ({ cert, key }),
            ...options,
          }),
        dial: (listener, signal) =>
          client.dial(listener.address, { tls: { ca: cert }, ...(signal && { signal }) }),
      };
    },
  } satisfies typeof BACKENDS,
);

for (const [backend, setup] of Object.entries(BACKENDS)) {
  describe(`I-2: conformance, ${backend}`, () => {
    for (const { name, run } of conformance(setup)) it(name, run);
  });
}
