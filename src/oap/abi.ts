/**
 * The numbers that the library and its WebAssembly module have agreed on.
 *
 * @module
 */

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
