/** From the import of the library to the first `listen`. */
import { clock } from "../clock.ts";

const lap = clock();
const { Transport } = await import("../../../mod.ts");
const transport = new Transport();
await transport.listen({ address: "tcp://127.0.0.1:0", onConnection: () => {} });
lap();
await transport.close();
