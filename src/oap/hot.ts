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
import { CAP_NAMES, checkCaps } from "./artefact.ts";

/** What the module answers to an argument above one of its constants. */
export const CAP_REFUSED = 0xffff_ffff as const;

/** Most bytes of a window. */
export const WINDOW_BYTES = 16_384 as const;

/** Most headers that are checked as rows in one call. */
export const ROWS = 512 as const;

/** Places in {@linkcode Hot.control}. */
export const CONTROL: {
  /** Offset after the last frame. */
  readonly NEXT: 0;
  /** Offset of the last frame. */
  readonly LAST: 1;
  /** Number of the fault of the header after it, or 0. */
  readonly FAULT: 2;
  /** All flags together. */
  readonly FLAGS: 3;
  /** Frames by label. */
  readonly HELLO: 4;
  /** See `HELLO`. */
  readonly ERROR: 5;
  /** See `HELLO`. */
  readonly START: 6;
  /** See `HELLO`. */
  readonly END: 7;
  /** Number of words. */
  readonly WORDS: 8;
} = Object.freeze({
  NEXT: 0,
  LAST: 1,
  FAULT: 2,
  FLAGS: 3,
  HELLO: 4,
  ERROR: 5,
  START: 6,
  END: 7,
  WORDS: 8,
});

/** Headers that one call of {@linkcode Hot.chunk} writes at most. */
export const HEADER_BLOCK = 16 as const;

/** The codecs of the guard, by number. */
export const CODECS: readonly string[] = Object.freeze(["zstd", "gzip", "zlib", "deflate"]);

/** What the guard answers instead of a length. */
export const GUARD: {
  readonly CORRUPT: -1;
  readonly TOO_LARGE: -2;
  readonly DECLARED: -3;
  readonly UNSUPPORTED: -4;
  readonly REFUSED: -5;
} = Object.freeze({ CORRUPT: -1, TOO_LARGE: -2, DECLARED: -3, UNSUPPORTED: -4, REFUSED: -5 });

type Call = (...args: number[]) => number;

/** The exports that are used, by their names in the module. */
export interface HotExports {
  /** Its memory. */
  readonly memory: WebAssembly.Memory;
  /** Makes the object whose address all others take first. */
  readonly hot_new: Call;
  /** Address of the window. */
  readonly hot_win_ptr: Call;
  /** Address of the rows. */
  readonly hot_rows_ptr: Call;
  /** Address of what a call found beside the number of frames. */
  readonly hot_ctl_ptr: Call;
  /** Address of the header block. */
  readonly hot_hdr_ptr: Call;
  /** Address of the nine ceilings. */
  readonly hot_caps_ptr: Call;
  /** Checks the headers in the window. */
  readonly hot_index: Call;
  /** Checks the headers in the rows. */
  readonly hot_rows: Call;
  /** Writes headers. */
  readonly hot_chunk: Call;
  /** Makes room for compressed bytes. */
  readonly hot_guard_in: Call;
  /** Inflates. */
  readonly hot_guard: Call;
  /** Address of the inflated bytes. */
  readonly hot_guard_out_ptr: Call;
  /** Zeroes what the guard held. */
  readonly hot_guard_wipe: Call;
}

/** The ids of a header in words of 32 bits: spread arrays would cost more than the headers. */
export interface HeadIds {
  /** Of `corr_id`. */
  readonly corrLow: number;
  /** Of `corr_id`. */
  readonly corrHigh: number;
  /** Of the tenant, the most significant. */
  readonly tenant0: number;
  /** Of the tenant. */
  readonly tenant1: number;
  /** Of the tenant. */
  readonly tenant2: number;
  /** Of the tenant, the least significant. */
  readonly tenant3: number;
}

/** Ids of 0. */
export const NO_IDS: HeadIds = Object.freeze({
  corrLow: 0,
  corrHigh: 0,
  tenant0: 0,
  tenant1: 0,
  tenant2: 0,
  tenant3: 0,
});

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
      if (length < 0) return length;
      const out = new Uint8Array(room + length);
      out.set(
        new Uint8Array(wasm.memory.buffer, wasm.hot_guard_out_ptr(this.#self) >>> 0, length),
        room,
      );
      wasm.hot_guard_wipe(this.#self);
      return out;
    } catch (error) {
      throw this.#trapped(error);
    }
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
