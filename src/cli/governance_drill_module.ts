/**
 * The inlined WebAssembly module with a larger frame, made without a compiler, as an insider could.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { sha256Of } from "../runtime/host_config.ts";

/** `i32.const`, and 1 MiB and 2 MiB in LEB128 of the same length. */
const OLD = [0x41, 0x80, 0x80, 0xc0, 0x00];
const RAISED = [0x41, 0x80, 0x80, 0x80, 0x01];

/**
 * The source file of the module with 2 MiB for 1 MiB: in its table of ceilings, wherever its code loads the
 * constant, and with the digest that this gives.
 *
 * @param text `src/oap/hot_wasm.ts`.
 */
export function raisedModule(text: string): string {
  const parts = /(export const WASM_BASE64: string =\n)([\s\S]*?);\n/.exec(text);
  if (parts === null) return text;
  const base64 = [...parts[2]!.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join("");
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i + 8 <= bytes.length; i++) {
    const table = view.getUint32(i, true) === CAPS.frameBytes &&
      view.getUint32(i + 4, true) === CAPS.chunkBytes;
    if (table) view.setUint32(i, 2 * CAPS.frameBytes, true);
    else if (OLD.every((byte, at) => bytes[i + at] === byte)) bytes.set(RAISED, i);
  }
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const lines = btoa(binary).match(/.{1,110}/g)!.map((line) => `  "${line}"`).join(" +\n");
  return text.replace(parts[0], `${parts[1]}${lines};\n`)
    .replace(/(WASM_SHA256: string = ")[0-9a-f]+/, `$1${sha256Of(bytes)}`);
}
