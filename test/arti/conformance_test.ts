/** The cases of every backend, over streams that end in both directions at once. */
import { Transport, type TransportConfig } from "../../mod.ts";
import { arti } from "../../src/arti/mod.ts";
import { ArtiStandIn, conformance, throwAwayCertificate } from "../../src/testing/mod.ts";
import { describe, it, runtimeName } from "../harness.ts";

const TOR: TransportConfig = { backend: "arti", amnesia: { enabled: true } };

describe("conformance, arti on the stand-in", () => {
  const cases = conformance(() => {
    const addon = new ArtiStandIn({ bootstraps: true });
    const server = new Transport({ ...TOR, max_conns: 8 }, { arti: arti({ addon }) });
    const client = new Transport(TOR, { arti: arti({ addon }) });
    return {
      server,
      client,
      listen: (options) => server.listen(options),
      dial: async (listener, signal) => {
        await ready(client);
        return await client.dial(listener.address, signal && { signal });
      },
    };
  }, { halfCloses: false });
  for (const { name, run } of cases) it(name, run);
});

describe("conformance, tls over arti on the stand-in", () => {
  const cases = conformance(async () => {
    const { cert, key } = await throwAwayCertificate({ names: ["localhost"] });
    const addon = new ArtiStandIn({ bootstraps: true });
    const config: TransportConfig = { ...TOR, tls: { enabled: true } };
    const server = new Transport({ ...config, max_conns: 8 }, { arti: arti({ addon }) });
    const client = new Transport(config, { arti: arti({ addon }) });
    return {
      server,
      client,
      listen: (options) => server.listen({ tls: () => ({ cert, key }), ...options }),
      dial: async (listener, signal) => {
        await ready(client);
        const tls = { ca: cert, serverName: "localhost" };
        return await client.dial(listener.address, { tls, ...(signal && { signal }) });
      },
    };
  }, { halfCloses: runtimeName() !== "bun" });
  for (const { name, run } of cases) it(name, run);
});

async function ready(transport: Transport): Promise<void> {
  while (transport.readiness.state !== "Ready") await new Promise((next) => setTimeout(next, 1));
}
