/**
 * Imports the codec and starts the WebAssembly module; prints how long each took.
 *
 * @module
 */

const start = performance.now();
const { wasmInfo } = await import("../../src/oap/mod.ts");
const imported = performance.now();
wasmInfo();
const instanceMs = performance.now() - imported;
console.log(JSON.stringify({ importMs: imported - start, instanceMs }));
