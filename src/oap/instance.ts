/**
 * The shared instance of the WebAssembly module.
 *
 * @module
 */

import { Artefact } from "./artefact.ts";
import type { HotExports } from "./abi.ts";
import { Hot } from "./hot.ts";
import { WASM_BASE64, WASM_SHA256, WASM_TOOLCHAIN } from "./hot_wasm.ts";

/** What the process has one of. */
interface Shared {
  readonly artefact: Artefact;
  module: WebAssembly.Module | undefined;
  hot: Hot | undefined;
  traps: number;
}

/** The one piece of state outside objects: the shared instance, and what it is made from. */
const shared: Shared = {
  artefact: new Artefact(WASM_BASE64, WASM_SHA256),
  module: undefined,
  hot: undefined,
  traps: 0,
};

/**
 * The shared instance, made on first use. The digest of the module is compared before it is compiled, and
 * its ceilings before it is used.
 *
 * @returns The instance. Ask again after every call that may trap.
 * @throws {TransportError} `internal` when the digest or a ceiling is wrong.
 */
export function hot(): Hot {
  return shared.hot ??= make();
}

function make(): Hot {
  shared.module ??= new WebAssembly.Module(shared.artefact.prove());
  return new Hot(instantiate(shared.module), (trapped) => {
    shared.traps++;
    if (shared.hot === trapped) shared.hot = undefined;
  });
}

/** Zeroes the plain text that lies in the instance's memory, if there is an instance. */
export function wipeScratch(): void {
  shared.hot?.wipe();
}

/** Facts on the module in use. */
export interface WasmInfo {
  /** Its SHA-256. */
  readonly sha256: string;
  /** What it was built with. */
  readonly toolchain: string;
  /** Instances replaced after a trap, since the process started. */
  readonly traps: number;
}

/**
 * Which WebAssembly module is in use; starts it if nothing has yet.
 *
 * @returns Its digest, its toolchain, and how often it had to be replaced.
 * @throws {TransportError} `internal` when the digest or a ceiling is wrong.
 *
 * @example
 * ```ts
 * import { wasmInfo } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.match(wasmInfo().sha256, /^[0-9a-f]{64}$/);
 * assert.equal(wasmInfo().traps, 0);
 * ```
 */
export function wasmInfo(): WasmInfo {
  hot();
  return { sha256: WASM_SHA256, toolchain: WASM_TOOLCHAIN, traps: shared.traps };
}

/** Instances replaced after a trap, since the process started; starts none. */
export function wasmTraps(): number {
  return shared.traps;
}

function instantiate(module: WebAssembly.Module): HotExports {
  const imports: Record<string, Record<string, () => never>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    // The build glue may import a way to throw. Nothing here should reach it; where it does, it is a trap.
    (imports[from] ??= {})[name] = () => {
      throw new WebAssembly.RuntimeError(`import ${name} was called`);
    };
  }
  return new WebAssembly.Instance(module, imports).exports as unknown as HotExports;
}
