/**
 * How much one receive may bring.
 *
 * A connection begins with 64 KiB, which is within its floor of the byte budget, so that what cannot be
 * delivered at once always has room. One that keeps filling it gets 256 KiB, which cost half as much
 * processor time a byte, once that is charged to the budget.
 *
 * @module
 */

import { CAPS } from "./caps.ts";
import { type ByteAccount, KEPT_BYTES } from "./limits/byte_account.ts";

/** The largest receive, in bytes; Bun decides for itself, and takes up to 512 KiB. */
export const WIDE_BYTES = 262_144;
/** What a connection begins with, in bytes. */
export const NARROW_BYTES: number = CAPS.chunkBytes;
/** Receives in a row that decide. */
const FULL = 2;
const SHORT = 8;

/** See the module. */
export class ReceiveWindow {
  /** Most bytes of the next receive. */
  bytes: number = NARROW_BYTES;
  readonly #account: ByteAccount;
  #run = 0;

  /** @param account What a wide window is charged to. */
  constructor(account: ByteAccount) {
    this.#account = account;
  }

  /** A receive brought `n` bytes. */
  received(n: number): void {
    const wide = this.bytes !== NARROW_BYTES;
    if (wide ? n >= NARROW_BYTES : n < NARROW_BYTES) {
      this.#run = 0;
    } else if (++this.#run >= (wide ? SHORT : FULL)) {
      this.#run = 0;
      if (wide) this.narrow();
      else if (this.#account.widen(KEPT_BYTES + WIDE_BYTES)) this.bytes = WIDE_BYTES;
    }
  }

  /** Back to the floor. */
  narrow(): void {
    if (this.bytes === NARROW_BYTES) return;
    this.bytes = NARROW_BYTES;
    this.#run = 0;
    this.#account.widen(0);
  }
}
