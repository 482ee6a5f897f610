/**
 * From the import of the codec, whose entry is the argument, to the first instance of its WebAssembly module:
 * as a server comes to it, which has bound an address before its first connection; or with `at-once`, with
 * nothing in between.
 */
import { createServer } from "node:net";
import process from "node:process";
import { clock } from "../clock.ts";

// As in listen.ts.
const entry = process.argv[2] as string;
const imported = clock();
const { wasmInfo } = await import(entry) as typeof import("../../../src/oap/mod.ts");
imported();
if (process.argv[3] !== "at-once") {
  const server = createServer();
  await new Promise<void>((bound) => server.listen(0, "127.0.0.1", bound));
  await new Promise((closed) => server.close(closed));
}
const started = clock();
wasmInfo();
started();
