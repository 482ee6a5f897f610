/**
 * What the WebAssembly module must prove before it is used: that it is the released one, and that its
 * ceilings are the library's.
 *
 * @module
 */

import { CAPS, type Caps } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { digestAhead, hasNativeSha256, nativeSha256 } from "../runtime/host_sha256.ts";
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
 * The bytes of the module, proved before anybody gets them.
 *
 * The digest is found by the runtime where that is quick. Where it can only be had later, it is begun as
 * soon as the codec is loaded: by the first connection it is there. Who comes sooner has it found in
 * JavaScript.
 */
export class Artefact {
  readonly #base64: string;
  readonly #expected: string;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #actual: string | undefined;

  /**
   * @param base64 The module.
   * @param expected Its SHA-256.
   */
  constructor(base64: string, expected: string) {
    this.#base64 = base64;
    this.#expected = expected;
    if (hasNativeSha256()) return;
    this.#bytes = decodeBase64(base64);
    digestAhead(this.#bytes, (digest) => this.#actual = digest);
  }

  /**
   * The bytes, which the caller alone has from then on.
   *
   * @throws {TransportError} `internal`, with both digests, when they are not what the library was released with.
   */
  prove(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes ?? decodeBase64(this.#base64);
    const actual = this.#actual ?? nativeSha256(bytes) ?? sha256(bytes);
    this.#bytes = this.#actual = undefined;
    if (actual === this.#expected) return bytes;
    throw new TransportError(
      "internal",
      `Cannot start: the WebAssembly module has SHA-256 ${actual}, not ${this.#expected}. Install the library again`,
      { op: "start", origin: "library" },
    );
  }
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  };
  if (native.fromBase64 !== undefined) return native.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
