/**
 * `version`: what is running.
 *
 * @module
 */

import { wasmInfo } from "../oap/mod.ts";
import { processFacts } from "../runtime/host.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";

/** The version of this package; equal to that in the manifests. */
export const VERSION: string = "0.1.0";

/** The command. */
export const version: Command = {
  spec: {
    name: "version",
    summary: "Tell which version this is, on which runtime, with which WebAssembly module",
    examples: [{ line: "version --json", says: "the same, to be read by a program" }],
    arguments: [],
    flags: [],
  },
  async run(parsed, { out }) {
    const facts = processFacts();
    const wasm = wasmInfo();
    const data = {
      version: VERSION,
      runtime: facts.runtime,
      runtimeVersion: facts.version,
      wasmSha256: wasm.sha256,
      wasmToolchain: wasm.toolchain,
    };
    const text = `ron-transport ${VERSION} (${facts.runtime} ${facts.version}, wasm ${
      wasm.sha256.slice(0, 12)
    })`;
    await out.write((parsed.has("json") ? JSON.stringify(data) : text) + "\n");
    return EXIT.ok;
  },
};
