/**
 * What the inlined WebAssembly module says of itself, past everything that the library checks.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { CAP_NAMES } from "../oap/artefact.ts";
import { WASM_BASE64, WASM_SHA256 } from "../oap/hot_wasm.ts";

/** See the module. */
export interface ModuleFacts {
  /** Its ceilings, by name. */
  readonly module: Readonly<Record<string, number>>;
  /** Those of TypeScript. */
  readonly library: Readonly<Record<string, number>>;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
  /** SHA-256 that the library expects. */
  readonly expectedSha256: string;
}

/** The raw exports, called by name; the first argument is always the object's address. */
export type RawModule = Readonly<Record<string, (...args: number[]) => number>> & {
  readonly memory: WebAssembly.Memory;
};

/** Asks the module. */
export async function moduleFacts(): Promise<ModuleFacts> {
  const bytes = moduleBytes();
  const raw = rawModule();
  const at = raw["hot_caps_ptr"]!(raw["hot_new"]!());
  const table = new Uint32Array(raw.memory.buffer, at >>> 0, CAP_NAMES.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return {
    module: Object.fromEntries(CAP_NAMES.map((name, i) => [name, table[i]!])),
    library: { ...CAPS },
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    expectedSha256: WASM_SHA256,
  };
}

/** An instance of the inlined bytes, whatever their digest. */
export function rawModule(): RawModule {
  const module = new WebAssembly.Module(moduleBytes());
  const imports: Record<string, Record<string, () => never>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error(`the module called its import ${name}`);
    };
  }
  return new WebAssembly.Instance(module, imports).exports as unknown as RawModule;
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(WASM_BASE64), (char) => char.charCodeAt(0));
}
