/**
 * What the WebAssembly module must prove before it is used: that it is the released one, and that its
 * ceilings are the library's.
 *
 * @module
 */

import { CAPS, type Caps } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { nativeSha256 } from "../runtime/host_sha256.ts";
import { sha256 } from "./sha256.ts";

/** The ceilings, in the order of the module's table. */
export const CAP_NAMES: readonly (keyof Caps)[] = Object.freeze([
  "frameBytes",
  "chunkBytes",
  "inflateRatio",
  "headerBytes",
  "capabilityBytes",
  "inflightFrames",
  "inboxItems",
  "workItems",
  "events",
]);

/**
 * Refuses a module whose ceilings differ from the library's.
 *
 * @param theirs The nine ceilings of the module.
 * @throws {TransportError} `internal`, naming the ceiling and both figures.
 */
export function checkCaps(theirs: Uint32Array): void {
  CAP_NAMES.forEach((name, i) => {
    if (theirs[i] === CAPS[name]) return;
    throw new TransportError(
      "internal",
      `Cannot start: ceiling ${name} is ${CAPS[name]} in the library and ${
        theirs[i]
      } in its WebAssembly module. Install both from one release`,
      { op: "start", origin: "library" },
    );
  });
}

/**
 * Refuses bytes that are not the module this library was released with.
 *
 * @param bytes The module.
 * @param expected Its SHA-256.
 * @throws {TransportError} `internal`, with both digests.
 */
export function checkDigest(bytes: Uint8Array, expected: string): void {
  const actual = nativeSha256(bytes) ?? sha256(bytes);
  if (actual === expected) return;
  throw new TransportError(
    "internal",
    `Cannot start: the WebAssembly module has SHA-256 ${actual}, not ${expected}. Install the library again`,
    { op: "start", origin: "library" },
  );
}
