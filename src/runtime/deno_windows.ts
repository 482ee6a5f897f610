/**
 * What TLS on Deno receives, in memory that all its sockets share: ciphertext is read into one window, and
 * what it says decrypted into another. Both are done with when the call that hands it on returns.
 *
 * Left to itself Deno makes a buffer for each of the two, and events of a stream for what was decrypted: about
 * a third of the processor time of what is received. Its handles and streams have what it takes, as `onread` of `node:net` works by
 * it; only `node:tls` has no way to ask for it over a socket that is there already. So these members are not
 * documented. Where one is missing nothing is done; and what comes in a buffer of Deno's after all is left to Deno.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";
import { NARROW_BYTES, WIDE_BYTES } from "../receive_window.ts";

/** What is used of the handle of TLS. */
export interface PlainHandle {
  /** Takes ciphertext. */
  receive(bytes: Uint8Array): void;
  /** Decrypts into it from here on. */
  useUserBuffer(window: Uint8Array): void;
}

/** What is used of the handle of the socket below. */
export interface SealedHandle {
  /** Called for bytes, the end and a failure alike. Bytes that are in a window come without an argument. */
  onread?: (bytes?: unknown) => void;
  /** Reads into it from here on. */
  useUserBuffer(window: Uint8Array): void;
  /** How many bytes have come so far. */
  getBytesRead(): number;
  readStart(): number;
  readStop(): number;
  shutdown(request: object): number;
}

/** Most bytes of plaintext in a record. */
const RECORD_BYTES = 16_384;

/** The memory; one for all sockets of a runtime. */
export class Windows {
  readonly wide: Uint8Array = new Uint8Array(WIDE_BYTES);
  readonly narrow: Uint8Array = this.wide.subarray(0, NARROW_BYTES);
  /**
   * Decrypted. All that one receive can bring has room, with a record that began before it: TLS would fill a
   * smaller one several times in a row, and could not be stopped in between.
   */
  readonly plain: Uint8Array = new Uint8Array(WIDE_BYTES + RECORD_BYTES);
}

/** A socket of TLS, with what its handles may lack. */
export interface Received {
  readonly secure: TLSSocket;
  readonly tls: Partial<PlainHandle> | null | undefined;
  readonly below: Partial<SealedHandle> | null | undefined;
  /** Most bytes of the next receive. */
  readonly room: () => number;
  /** Bytes arrived; they are valid inside this call. */
  readonly take: (bytes: Uint8Array) => void;
}

/** Receives into the windows. Returns `false`, with nothing done, where Deno lacks what it takes. */
export function receiveInto(
  windows: Windows,
  { secure, tls, below, room, take }: Received,
): boolean {
  if (!has(tls, PLAIN) || !has(below, SEALED)) return false;
  const [buffer, callback] = [hidden(secure, "kBuffer"), hidden(secure, "kBufferCb")];
  if (buffer === undefined || callback === undefined) return false;
  const { plain } = windows;
  Object.assign(secure, { [buffer]: plain, [callback]: (n: number) => take(plain.subarray(0, n)) });
  tls.useUserBuffer(plain);
  secure.resume(); // nothing but its end comes as an event
  sealed(windows, below, room, (bytes) => tls.receive(bytes));
  return true;
}

/** Reads ciphertext into a window, as wide as there is room. */
function sealed(
  windows: Windows,
  below: SealedHandle,
  room: () => number,
  give: (bytes: Uint8Array) => void,
): void {
  let window: Uint8Array | undefined;
  const fit = (): void => {
    const next = room() < WIDE_BYTES ? windows.narrow : windows.wide;
    if (next === window) return;
    window = next;
    below.useUserBuffer(next);
  };
  let total = below.getBytesRead();
  let stock = below.onread;
  const onread = (bytes?: unknown): void => {
    const before = total;
    total = below.getBytesRead();
    if (bytes !== undefined || total === before) return stock?.call(below, bytes);
    try {
      give(window!.subarray(0, total - before));
    } finally {
      fit();
    }
  };
  // TLS sets it more than once, as when it is given the handle.
  Object.defineProperty(below, "onread", {
    get: () => onread,
    set(next: SealedHandle["onread"]) {
      stock = next;
    },
  });
  fit();
  // Deno looks for it when reading starts, which a client's has.
  below.readStop();
  below.readStart();
}

const PLAIN = ["receive", "useUserBuffer"] as const;
const SEALED = ["useUserBuffer", "getBytesRead", "readStart", "readStop"] as const;

function has<H extends object>(
  handle: Partial<H> | null | undefined,
  members: readonly (keyof H)[],
): handle is H {
  return !!handle && members.every((member) => typeof handle[member] === "function");
}

/** The symbol by which a stream of Deno has a member that is its own. */
function hidden(secure: TLSSocket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(secure).find(({ description }) => description === name);
}
