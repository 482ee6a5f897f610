/**
 * The WebAssembly module, called without generated glue: numbers go in and out, bytes lie in its buffers.
 *
 * The module keeps nothing between two calls, so one instance serves every decoder; a connection's state
 * is in TypeScript.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import {
  CAP_REFUSED,
  CONTROL,
  GUARD,
  HEADER_BLOCK,
  type HeadIds,
  type HotExports,
  ROWS,
  WINDOW_BYTES,
} from "./abi.ts";
import { CAP_NAMES, checkCaps } from "./artefact.ts";

/** One instance with its views. */
export class Hot {
  /** Bytes to look through. */
  window: Uint8Array;
  /** Headers picked out: length, version and flags, code and protocol, length of the capability. */
  rows: Uint32Array;
  /** What a call found: see {@linkcode CONTROL}. */
  control: Uint32Array;
  /** Headers written by {@linkcode Hot.chunk}, 38 bytes each. */
  headers: Uint8Array;
  readonly #exports: HotExports;
  readonly #self: number;
  readonly #onTrap: (hot: Hot) => void;

  /**
   * @param exports The instance's exports.
   * @param onTrap Told when a call trapped; this instance must not be used again.
   */
  constructor(exports: HotExports, onTrap: (hot: Hot) => void) {
    this.#exports = exports;
    this.#onTrap = onTrap;
    this.#self = exports.hot_new();
    this.window =
      this.rows =
      this.control =
      this.headers =
        undefined as never;
    this.#lookAgain();
    checkCaps(
      new Uint32Array(exports.memory.buffer, exports.hot_caps_ptr(this.#self), CAP_NAMES.length),
    );
  }

  /**
   * Checks the headers in the first `tail` bytes of the window, at most `maxCount`; wire §4, checks 1 to 7.
   *
   * @returns How many frames start there before a fault or the end, or {@linkcode CAP_REFUSED}.
   */
  index(tail: number, maxFrame: number, maxCount: number = 0x7fff_ffff): number {
    try {
      return this.#exports.hot_index(this.#self, tail, maxFrame, maxCount) >>> 0;
    } catch (error) {
      throw this.#trapped(error);
    }
  }

  /** Checks the first `n` rows in the same way. */
  checkRows(n: number, maxFrame: number): number {
    try {
      return this.#exports.hot_rows(this.#self, n, maxFrame) >>> 0;
    } catch (error) {
      throw this.#trapped(error);
    }
  }

  /**
   * Writes headers of a body's chunks into {@linkcode Hot.headers}.
   *
   * @param ids The words of `corr_id`, low one first, then those of the tenant, high one first.
   * @returns How many, at most {@linkcode HEADER_BLOCK}, or {@linkcode CAP_REFUSED}.
   */
  chunk(
    total: number,
    from: number,
    max: number,
    flags: number,
    codeApp: number,
    ids: HeadIds,
  ): number {
    const { corrLow, corrHigh, tenant0, tenant1, tenant2, tenant3 } = ids;
    try {
      return this.#exports.hot_chunk(
        this.#self,
        total,
        from,
        max,
        flags,
        codeApp,
        corrLow,
        corrHigh,
        tenant0,
        tenant1,
        tenant2,
        tenant3,
      ) >>> 0;
    } catch (error) {
      throw this.#trapped(error);
    }
  }

  /**
   * Inflates within `min(8 × bytes, maxOut)`.
   *
   * @param room Bytes to leave free in front of the output.
   * @returns Memory of its own with the output at `room`, or one of {@linkcode GUARD}.
   */
  inflate(codec: number, bytes: Uint8Array, maxOut: number, room: number): Uint8Array | number {
    const wasm = this.#exports;
    try {
      const input = wasm.hot_guard_in(this.#self, bytes.length) >>> 0;
      this.#lookAgain();
      if (input === CAP_REFUSED) return GUARD.REFUSED;
      new Uint8Array(wasm.memory.buffer, input, bytes.length).set(bytes);
      const length = wasm.hot_guard(this.#self, codec, bytes.length, maxOut) | 0;
      this.#lookAgain();
      const out = length < 0 ? length : new Uint8Array(room + length);
      if (typeof out !== "number") {
        const from = wasm.hot_guard_out_ptr(this.#self) >>> 0;
        out.set(new Uint8Array(wasm.memory.buffer, from, length), room);
      }
      wasm.hot_guard_wipe(this.#self); // of what failed as well, as part of it came out
      return out;
    } catch (error) {
      throw this.#trapped(error);
    }
  }

  /** Zeroes what callers have put into it; what the guard was given is zeroed after each call. */
  wipe(): void {
    this.window.fill(0);
    this.rows.fill(0);
    this.headers.fill(0);
  }

  /** Views die when memory grows. Looked up after the addresses, because asking may be what grows it. */
  #lookAgain(): void {
    if (this.window !== undefined && this.window.byteLength !== 0) return;
    const { hot_win_ptr, hot_rows_ptr, hot_ctl_ptr, hot_hdr_ptr, memory } = this.#exports;
    const [win, rows, ctl, hdr] = [
      hot_win_ptr(this.#self),
      hot_rows_ptr(this.#self),
      hot_ctl_ptr(this.#self),
      hot_hdr_ptr(this.#self),
    ];
    this.window = new Uint8Array(memory.buffer, win >>> 0, WINDOW_BYTES);
    this.rows = new Uint32Array(memory.buffer, rows >>> 0, 4 * ROWS);
    this.control = new Uint32Array(memory.buffer, ctl >>> 0, CONTROL.WORDS);
    this.headers = new Uint8Array(memory.buffer, hdr >>> 0, HEADER_BLOCK * CAPS.headerBytes);
  }

  #trapped(error: unknown): unknown {
    if (!(error instanceof WebAssembly.RuntimeError)) return error;
    this.#onTrap(this);
    return new TransportError(
      "internal",
      `The WebAssembly module trapped (${error.message}); the call is lost and a new instance takes over. Report this as a bug`,
      { op: "decode", origin: "library", cause: error },
    );
  }
}
