/** The cases of every backend on a real Tor network, but for half-close, which Tor has not. */
import { conformance } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { noTor, onTor, ready } from "./transports.ts";

/** Two clients for all cases would be faster; a case closes both of its transports. */
const options = { skip: noTor, leaks: false as const, timeout: 120_000 };

describe("conformance, arti on tor", () => {
  const cases = conformance(() => {
    const server = onTor({ max_conns: 8 });
    const client = onTor();
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
  for (const { name, run } of cases) it(name, options, run);
});
