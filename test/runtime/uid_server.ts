/**
 * To be started by tests: listens for one user on the path given, and writes how that went.
 *
 * @module
 */

import process from "node:process";
import { Transport, TransportError } from "../../mod.ts";

const transport = new Transport({ uds: { allow_uids: [0] } });
try {
  await transport.listen({ address: `unix:${process.argv[2]}` });
  console.log("bound");
} catch (error) {
  console.log(TransportError.is(error) ? `${error.kind} ${error.message}` : String(error));
}
await transport.close();
