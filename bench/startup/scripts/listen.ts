/** From the import of the library, whose entry is the argument, to the first `listen`. */
import process from "node:process";
import { clock } from "../clock.ts";

// By a name that is not written here: Deno would load what it can find in the text before the clock runs.
const entry = process.argv[2] as string;
const lap = clock();
const { Transport } = await import(entry) as typeof import("../../../mod.ts");
const transport = new Transport();
await transport.listen({ address: "tcp://127.0.0.1:0", onConnection: () => {} });
lap();
await transport.close();
