/**
 * The state of one direction's bytes: what is unfinished, what is complete, and the fault that ended it.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { Assembly } from "./assembly.ts";
import type { Index } from "./batch.ts";
import { CodecError, type CodecFault } from "./codec_error.ts";
import { explain, EXPLAIN_INFLATE, FAULT_CODES } from "./explain.ts";
import { FLAGS, HEADER_BYTES } from "./frame.ts";
import { inflatePayload } from "./guard.ts";
import { CAP_REFUSED, WINDOW_BYTES } from "./hot.ts";
import { hot } from "./instance.ts";
import { Source } from "./source.ts";

/**
 * Cuts bytes into frames. {@linkcode Parser.feed} puts complete ones into {@linkcode Parser.index}; headers
 * are judged at byte 38, by one call for each window of 16 KiB, and bodies past the window are not read.
 */
export class Parser {
  /** Complete frames that nobody has taken yet. */
  index: Index = { at: [], main: undefined, extra: [] };
  /** The fault that ended it; it takes nothing any more. */
  error: CodecError | undefined = undefined;
  /** Largest frame accepted, in bytes. */
  maxFrameBytes: number;
  /** The unfinished frame, once its header is there. */
  readonly assembly: Assembly = new Assembly();
  #broken: unknown = undefined;
  readonly #inflate: boolean;
  readonly #carry: Uint8Array = new Uint8Array(HEADER_BYTES - 1);
  #carried = 0;

  /** @param maxFrameBytes Largest frame. @param inflate Whether this end can inflate. */
  constructor(maxFrameBytes: number, inflate: boolean) {
    this.maxFrameBytes = maxFrameBytes;
    this.#inflate = inflate;
  }

  /** Bytes kept of an unfinished frame. */
  get retained(): number {
    return this.#carried + this.assembly.have;
  }

  /** Bytes that are known to be missing; 0 between frames. */
  get owed(): number {
    return this.#carried > 0
      ? HEADER_BYTES - this.#carried
      : this.assembly.need - this.assembly.have;
  }

  /** Takes {@linkcode Parser.index}, leaving an empty one. */
  take(): Index {
    const { index } = this;
    this.index = { at: [], main: undefined, extra: [] };
    return index;
  }

  /**
   * Cuts bytes, from `from` on, until they end, a fault is met or `limit` frames are complete.
   *
   * @returns Where it stopped. A fault takes the rest.
   * @throws {TransportError} `internal` after a trap in the module; from then on every time.
   */
  feed(bytes: Uint8Array, from: number, limit: number): number {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      return this.#feed(bytes, from, limit);
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  #feed(bytes: Uint8Array, from: number, limit: number): number {
    let pos = from;
    if (this.error !== undefined) return bytes.length;
    if (this.assembly.need > 0 && pos < bytes.length) {
      pos += this.assembly.fill(bytes, pos);
      if (this.assembly.have === this.assembly.need) {
        const flags = this.#complete(this.assembly.take());
        if ((flags & FLAGS.COMP) !== 0) this.#inflateFrom(this.index.at.length - 2);
      }
    }
    while (pos < bytes.length && this.error === undefined && this.index.at.length < 2 * limit) {
      pos = this.#window(bytes, pos, limit - this.index.at.length / 2);
    }
    return this.error === undefined ? pos : bytes.length;
  }

  /** The input is over. */
  end(): CodecError | undefined {
    if (this.error === undefined && this.retained > 0) {
      this.#fail(
        "TruncatedHeader",
        `Input ended inside a frame: ${this.retained} bytes came, ${this.owed} or more are missing`,
      );
    }
    return this.error;
  }

  /** Indexes one window and takes over what it found. Returns where the next one starts. */
  #window(bytes: Uint8Array, pos: number, limit: number): number {
    const carried = this.#carried;
    const end = Math.min(pos + WINDOW_BYTES, bytes.length);
    const wasm = hot();
    if (carried > 0) wasm.window.set(this.#carry.subarray(0, carried));
    wasm.window.set(
      pos === 0 && end === bytes.length
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset + pos, end - pos),
      carried,
    );
    const tail = carried + end - pos;
    const found = wasm.index(tail, this.maxFrameBytes);
    if (found === CAP_REFUSED) throw refused(this.maxFrameBytes);
    const { table, control } = wasm;
    const cut = found > limit;
    const frames = cut ? limit : found;
    const fault = cut ? 0 : table[control + 2] as number;
    const next = cut ? table[2 * limit] as number : table[control] as number;
    const faultAt = table[control + 3] as number;
    if (frames > 0) {
      this.#carried = 0;
      this.#collect(bytes, pos - carried, frames, table);
      if (this.error !== undefined) return bytes.length;
    }
    if (fault !== 0) {
      const name = FAULT_CODES[fault] ?? "CodecError";
      this.#fail(name, explain(name, wasm.window, faultAt, this.maxFrameBytes));
      return bytes.length;
    }
    if (cut || end < bytes.length || next >= tail) {
      return Math.min(pos - carried + next, bytes.length);
    }
    this.#keep(bytes, frames > 0 || carried === 0 ? pos - carried + next : pos);
    return bytes.length;
  }

  /** Takes over the frames of a window whose first byte is at `base`, which is negative after a split header. */
  #collect(bytes: Uint8Array, base: number, frames: number, table: Uint32Array): void {
    const { index } = this;
    const { at } = index;
    const first = at.length;
    const lastAt = base + (table[2 * frames - 2] as number);
    const lastLen = table[2 * frames - 1] as number;
    const open = lastAt + lastLen > bytes.length;
    const end = open ? 2 * frames - 2 : 2 * frames;
    let i = 0;
    let flags = 0;
    if (base < 0) {
      i = 2;
      flags = this.#assemble(bytes, -base, table[1] as number);
    }
    if (i < end) index.main ??= new Source(bytes);
    for (; i < end; i += 2) {
      const o = base + (table[i] as number);
      at.push(o, table[i + 1] as number);
      flags |= bytes[o + 7] as number;
    }
    // Only now: inflating may grow the module's memory, and then `table` is dead.
    if ((flags & FLAGS.COMP) !== 0) this.#inflateFrom(first);
    if (open && lastAt >= 0 && this.error === undefined) {
      this.assembly.begin(lastLen);
      this.assembly.fill(bytes, lastAt);
    }
  }

  /** Starts a frame of which the first `carried` bytes came in earlier reads. Returns its flags if it is complete. */
  #assemble(bytes: Uint8Array, carried: number, len: number): number {
    this.assembly.begin(len);
    this.assembly.fill(this.#carry.subarray(0, carried), 0);
    this.assembly.fill(bytes, 0);
    return this.assembly.have === len ? this.#complete(this.assembly.take()) : 0;
  }

  /** Keeps an unfinished header. */
  #keep(bytes: Uint8Array, from: number): void {
    this.#carry.set(bytes.subarray(from), this.#carried);
    this.#carried += bytes.length - from;
  }

  /** Adds a frame that has memory of its own. Returns the low byte of its flags. */
  #complete(frame: Uint8Array): number {
    const { at, extra } = this.index;
    extra.push(new Source(frame));
    at.push(-extra.length, frame.length);
    return frame[7] as number;
  }

  /** Replaces every compressed frame from place `first` on by its inflated form; a fault cuts the batch there. */
  #inflateFrom(first: number): void {
    const { at, main, extra } = this.index;
    for (let i = first; i < at.length; i += 2) {
      const o = at[i] as number;
      const source = (o < 0 ? extra[-o - 1] : main) as Source;
      const start = Math.max(o, 0);
      if (((source.bytes[start + 7] as number) & FLAGS.COMP) === 0) continue;
      const frame = this.#inflate
        ? inflatePayload(source.slice(start, at[i + 1] as number), this.maxFrameBytes)
        : "CodecMissing";
      if (typeof frame === "string") {
        at.length = i;
        this.#fail(frame, EXPLAIN_INFLATE[frame]);
        return;
      }
      extra.push(new Source(frame));
      at[i] = -extra.length;
      at[i + 1] = frame.length;
    }
  }

  #fail(fault: CodecFault, message: string): void {
    this.error = new CodecError(fault, message, "decode", "remote");
    this.assembly.drop();
    this.#carried = 0;
  }
}

function refused(max: number): TransportError {
  return new TransportError(
    "internal",
    `The WebAssembly module refuses a frame limit of ${max}: legal is ${HEADER_BYTES} to ${CAPS.frameBytes}`,
    { op: "decode", origin: "library" },
  );
}
