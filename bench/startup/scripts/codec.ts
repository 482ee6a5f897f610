/** From the import of the codec to the first instance of its WebAssembly module. */
import { clock } from "../clock.ts";

const imported = clock();
const { wasmInfo } = await import("../../../src/oap/mod.ts");
imported();
const started = clock();
wasmInfo();
started();
