/**
 * The state of one direction's bytes: what is unfinished, what is complete, and the fault that ended it.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { Assembly } from "./assembly.ts";
import { Body, HeadCopies } from "./body.ts";
import { CodecError, type CodecFault } from "./codec_error.ts";
import { explain, EXPLAIN_INFLATE, FAULT_CODES } from "./explain.ts";
import { Found, Run } from "./found.ts";
import { FLAGS, HEADER_BYTES } from "./frame.ts";
import { inflatePayload } from "./guard.ts";
import { CAP_REFUSED, CONTROL, WINDOW_BYTES } from "./abi.ts";
import type { Hot } from "./hot.ts";
import { hot } from "./instance.ts";
import { release } from "../release.ts";
import { scanRows, scanWindow } from "./scan.ts";
import { Source } from "./source.ts";

/** Frames up to this size need no reservation: a chunk with its header, which each connection may hold. */
const FLOOR_BYTES = CAPS.chunkBytes + HEADER_BYTES;
/** Frames of which more than this lies between two headers: then copying all of it costs more than picking headers out. */
const SPARSE_BYTES = 320;
const ALL = 0x7fff_ffff;
const NOTHING: Uint8Array = new Uint8Array(0);

/** For all parsers that have found nothing: an idle connection keeps none of its own. Nothing is put into it. */
const NOTHING_FOUND: Found = new Found();

/** Who has memory for unfinished frames. */
export interface FrameMemory {
  /**
   * Asks for the memory of a frame before any of it is taken; 0 gives it back. `false`: the parser stops at
   * the frame's header until {@linkcode Parser.admit}.
   */
  reserve(bytes: number): boolean;
}

/**
 * Cuts bytes into frames. {@linkcode Parser.feed} puts complete ones into {@linkcode Parser.found}; headers
 * are judged at byte 38, many in one call of the WebAssembly module, and large bodies are not read.
 */
export class Parser {
  /** What nobody has taken yet; nothing between two reads. */
  found: Found = NOTHING_FOUND;
  /** The fault that ended it; it takes nothing any more. */
  error: CodecError | undefined = undefined;
  /** Largest frame accepted of those that begin from now on, in bytes. */
  nextMaxFrameBytes: number;
  /** The same for the frame under way: it keeps the limit it began with. */
  maxFrameBytes: number;
  /** The unfinished frame, once its header is there. */
  readonly assembly: Assembly = new Assembly();
  /** Which frames may come in parts, by flags and protocol; `undefined`: none. Compressed ones never do. */
  parts: ((flags: number, appProtoId: number) => boolean) | undefined = undefined;
  /** Who has memory for frames above one chunk; `undefined`: there is no limit. */
  memory: FrameMemory | undefined = undefined;
  /** Whether it waits for memory, and takes nothing. */
  blocked = false;
  /** Whether a frame is complete for which memory is reserved; it stops there, for that to be settled. */
  finished = false;
  #broken: unknown = undefined;
  readonly #inflate: boolean;
  /** A header that is not complete; made with the first one that is split. */
  #carry: Uint8Array = NOTHING;
  #carried = 0;
  #sparse = false;
  /** The frame that comes in parts. */
  #body: Body | undefined = undefined;
  #heads: HeadCopies | undefined = undefined;
  /** Size of a frame that will, while header and capability are put together. */
  #headOf = 0;
  /** Where the header of the frame lies that waits for memory. */
  #blockedAt = 0;
  /** Whether the unfinished frame was seen in part, and is counted. */
  #again = false;

  /** @param maxFrameBytes Largest frame. @param inflate Whether this end can inflate. */
  constructor(maxFrameBytes: number, inflate: boolean) {
    this.maxFrameBytes = this.nextMaxFrameBytes = maxFrameBytes;
    this.#inflate = inflate;
  }

  /** Bytes kept of an unfinished frame. */
  get retained(): number {
    return this.#carried + this.assembly.have;
  }

  /** The same, without those that {@linkcode Parser.memory} was asked for. */
  get unreserved(): number {
    return this.assembly.need > FLOOR_BYTES && this.assembly.granted
      ? this.#carried
      : this.#carried + this.assembly.bytes;
  }

  /** Bytes that are known to be missing; 0 between frames. */
  get owed(): number {
    if (this.blocked) return Math.max(1, this.assembly.need - this.assembly.have);
    if (this.#carried > 0) return HEADER_BYTES - this.#carried;
    if (this.#body !== undefined) return this.#body.rest;
    return Math.max(this.assembly.need, this.#headOf) - this.assembly.have;
  }

  /** The memory that it waited for is reserved. */
  admit(): void {
    this.blocked = false;
    this.assembly.granted = true;
  }

  /** Takes {@linkcode Parser.found}, leaving nothing. */
  take(): Found {
    const { found } = this;
    this.found = NOTHING_FOUND;
    return found;
  }

  /**
   * Cuts bytes, from `from` on, until they end, a fault is met, `limit` frames or parts are there, or
   * memory must be waited for.
   *
   * @returns Where it stopped. A fault takes the rest.
   * @throws {TransportError} `internal` after a trap in the module; from then on every time.
   */
  feed(bytes: Uint8Array, from: number, limit: number): number {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.error !== undefined || from === bytes.length) return bytes.length;
    if (this.blocked) return from;
    try {
      const pos = this.#feed(bytes, from, Math.min(limit, ALL));
      return this.error === undefined ? pos : bytes.length;
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  #feed(bytes: Uint8Array, from: number, limit: number): number {
    if (this.found === NOTHING_FOUND) this.found = new Found();
    const source = this.found.lent = new Source(bytes, false);
    let pos = from;
    if (this.#carried > 0) pos = this.#splitHeader(source, pos);
    else if (this.#body !== undefined) pos = this.#part(this.#body, source, pos);
    else if (this.assembly.need > 0) pos = this.#goOn(source, pos);
    // What is left begins with a header.
    if (pos < bytes.length && !this.blocked) this.maxFrameBytes = this.nextMaxFrameBytes;
    while (
      pos < bytes.length && this.error === undefined && !this.blocked && !this.finished &&
      this.found.items < limit
    ) {
      pos = this.#scan(source, pos, limit - this.found.items);
    }
    return pos;
  }

  /** The input is over. */
  end(): CodecError | undefined {
    const { owed } = this;
    if (this.error === undefined && owed > 0) {
      const came = this.retained + (this.#body?.have ?? 0);
      this.#fail(
        "TruncatedHeader",
        `Input ended inside a frame: ${came} bytes came, ${owed} or more are missing`,
      );
    }
    return this.error;
  }

  /** Looks at one stretch and takes over what it found. Returns where the next one starts. */
  #scan(source: Source, pos: number, limit: number): number {
    const { bytes } = source;
    const max = this.maxFrameBytes;
    const wasm = hot();
    const count = this.#sparse
      ? scanRows(wasm, source, pos, max, limit)
      : scanWindow(wasm, source, pos, max, limit);
    if (count === CAP_REFUSED) throw refused(max);
    const { control } = wasm;
    const length = control[CONTROL.NEXT] as number;
    const fault = control[CONTROL.FAULT] as number;
    const next = pos + length;
    if (count > 0) {
      this.#sparse = length > SPARSE_BYTES * count;
      this.#collect(source, pos, count, control);
      if (this.error !== undefined) return next;
      if (this.blocked) return this.#blockedAt;
    }
    if (fault !== 0) {
      this.#refuse(fault, bytes, next);
      return bytes.length;
    }
    if (next < bytes.length && bytes.length - next < HEADER_BYTES) {
      if (this.#carry === NOTHING) this.#carry = new Uint8Array(HEADER_BYTES);
      this.#carry.set(bytes.subarray(next));
      this.#carried = bytes.length - next;
      return bytes.length;
    }
    return Math.min(next, bytes.length);
  }

  /** Takes over `count` frames from `pos` on; the last may be unfinished. */
  #collect(source: Source, pos: number, count: number, control: Uint32Array): void {
    const { found } = this;
    const { bytes } = source;
    const next = pos + (control[CONTROL.NEXT] as number);
    const last = pos + (control[CONTROL.LAST] as number);
    const open = next > bytes.length;
    const whole = open ? count - 1 : count;
    // Inflating may grow the module's memory, and then `control` is dead.
    if (((control[CONTROL.FLAGS] as number) & FLAGS.COMP) !== 0) {
      this.#collectSlowly(source, pos, whole);
      if (open && this.error === undefined) this.#begin(source, last, next - last);
      return;
    }
    found.add(source, pos, open ? last : next, whole);
    found.frames += count;
    found.bytes += next - pos;
    found.flags |= control[CONTROL.FLAGS] as number;
    found.hello += control[CONTROL.HELLO] as number;
    found.error += control[CONTROL.ERROR] as number;
    found.start += control[CONTROL.START] as number;
    found.end += control[CONTROL.END] as number;
    if (((control[CONTROL.FLAGS] as number) & FLAGS.START) !== 0) {
      found.capabilityBytes += capabilityBytes(source.view, pos, count);
    }
    if (!open) return;
    found.note(source.view, last, -1); // it counts when it is there
    this.#begin(source, last, next - last);
  }

  /** The same where frames are compressed; a fault ends it there. */
  #collectSlowly(source: Source, pos: number, whole: number): void {
    const { found } = this;
    let at = pos;
    for (let n = 0; n < whole && this.error === undefined; n++) {
      const len = source.view.getUint32(at);
      if ((source.view.getUint8(at + 7) & FLAGS.COMP) !== 0) {
        this.#complete(source.slice(at, len));
      } else {
        found.note(source.view, at, 1);
        found.add(source, at, at + len, 1);
      }
      at += len;
    }
  }

  /** Starts an unfinished frame of `len` bytes whose header is at `at`. */
  #begin(source: Source, at: number, len: number): void {
    const head = this.#headBytes(source.view, at, len);
    if (head > 0 && at + head <= source.bytes.length) {
      return void this.#beginParts(this.#copyHead(source, at, head), len, source, at + head);
    }
    if (!this.#admits(head > 0 ? head : len)) {
      this.#blockedAt = at;
      return;
    }
    this.#headOf = head > 0 ? len : 0;
    this.assembly.begin(head > 0 ? head : len);
    this.assembly.fill(source.bytes, at);
  }

  /** Whether there is memory for `bytes` of an unfinished frame; if not, nothing more is taken. */
  #admits(bytes: number): boolean {
    if (bytes <= FLOOR_BYTES || this.memory === undefined || this.memory.reserve(bytes)) {
      return true;
    }
    this.blocked = true;
    return false;
  }

  /** The unfinished frame is complete: its memory is the receiver's. */
  #takeAssembled(): Uint8Array {
    if (this.assembly.need > FLOOR_BYTES && this.memory !== undefined) this.finished = true;
    return this.assembly.take();
  }

  /** Bytes of header and capability of a frame that comes in parts; 0 of one that is put together. */
  #headBytes(view: DataView, at: number, len: number): number {
    if (this.parts === undefined || len <= WINDOW_BYTES) return 0;
    const flags = view.getUint16(at + 6);
    return (flags & FLAGS.COMP) === 0 && this.parts(flags, view.getUint16(at + 10))
      ? HEADER_BYTES + view.getUint16(at + 28)
      : 0;
  }

  #copyHead(source: Source, at: number, n: number): Uint8Array {
    this.#heads ??= new HeadCopies();
    return this.#heads.copy(source.slice(at, n));
  }

  /** Starts a frame that comes in parts; the first is what is there of the payload, nothing included. */
  #beginParts(head: Uint8Array, len: number, source: Source, at: number): number {
    const body = new Body(new Source(head, true), len, (body, part) => this.#put(body, part));
    this.#body = body;
    this.found.note(body.head.view, 0, 1);
    return this.#part(body, source, at);
  }

  /** Takes a part of a payload. Returns where the next frame starts. */
  #part(body: Body, source: Source, at: number): number {
    const end = Math.min(source.bytes.length, at + body.rest);
    if (!body.dropped) this.found.push(new Run(source, at, end, 1, body, body.have, false));
    body.have += end - at;
    if (body.rest === 0) {
      this.#body = undefined;
      this.found.completed++;
    }
    return end;
  }

  /** Puts a frame together of which the application has seen the first part. */
  #put(body: Body, part: Uint8Array): boolean {
    if (this.#body !== body || body.have !== part.length) return false;
    this.#body = undefined;
    this.#again = true;
    const len = body.head.bytes.length + body.bytes;
    this.assembly.begin(len, this.#admits(len));
    this.assembly.fill(body.head.bytes, 0);
    this.assembly.fill(part, 0);
    return true;
  }

  /** Goes on with a header of which a part came in earlier reads. */
  #splitHeader(source: Source, pos: number): number {
    const { bytes } = source;
    const n = Math.min(HEADER_BYTES - this.#carried, bytes.length - pos);
    this.#carry.set(bytes.subarray(pos, pos + n), this.#carried);
    this.#carried += n;
    if (this.#carried < HEADER_BYTES) return pos + n;
    this.#carried = 0;
    const carry = new Source(this.#carry, true);
    const wasm: Hot = hot();
    const count = scanWindow(wasm, carry, 0, this.maxFrameBytes, 1);
    if (count === CAP_REFUSED) throw refused(this.maxFrameBytes);
    if (count === 0) {
      this.#refuse(wasm.control[CONTROL.FAULT] as number, this.#carry, 0);
      return bytes.length;
    }
    const len = wasm.control[CONTROL.NEXT] as number;
    const head = this.#headBytes(carry.view, 0, len);
    if (!this.#admits(head > 0 ? head : len)) {
      this.#carried = HEADER_BYTES; // the header is judged again, then
      return pos + n;
    }
    this.#headOf = head > 0 ? len : 0;
    this.assembly.begin(head > 0 ? head : len);
    this.assembly.fill(this.#carry, 0);
    return this.#goOn(source, pos + n);
  }

  /** Goes on with the unfinished frame, or its head. */
  #goOn(source: Source, pos: number): number {
    const { assembly } = this;
    const at = pos + assembly.fill(source.bytes, pos);
    if (assembly.have < assembly.need) return at;
    const len = this.#headOf;
    this.#headOf = 0;
    if (len > 0) return this.#beginParts(this.#takeAssembled(), len, source, at);
    const frame = this.#takeAssembled();
    this.#complete(frame);
    // Inflated, it lies elsewhere.
    if (((frame[7] as number) & FLAGS.COMP) !== 0) {
      if (assembly.pool === undefined) release(frame);
      else assembly.pool.give(frame);
    }
    return at;
  }

  /** Adds a frame that is to have memory of its own, inflated. */
  #complete(bytes: Uint8Array): void {
    const again = this.#again;
    this.#again = false;
    let frame = bytes;
    if (((bytes[7] as number) & FLAGS.COMP) !== 0) {
      const out = this.#inflate ? inflatePayload(bytes, this.maxFrameBytes) : "CodecMissing";
      if (typeof out === "string") return this.#fail(out, EXPLAIN_INFLATE[out]);
      frame = out;
    }
    const source = new Source(frame, true);
    if (!again) this.found.note(source.view, 0, 1);
    this.found.add(source, 0, frame.length, 1, again);
  }

  #refuse(fault: number, bytes: Uint8Array, at: number): void {
    const name = FAULT_CODES[fault] ?? "CodecError";
    this.#fail(name, explain(name, bytes, at, this.maxFrameBytes));
  }

  #fail(fault: CodecFault, message: string): void {
    this.error = new CodecError(fault, message, "decode", "remote");
    if (this.assembly.need > FLOOR_BYTES) this.memory?.reserve(0);
    this.assembly.drop();
    this.#body = undefined;
    this.#carried = this.#headOf = 0;
  }
}

function refused(max: number): TransportError {
  return new TransportError(
    "internal",
    `The WebAssembly module refuses a frame limit of ${max}: legal is ${HEADER_BYTES} to ${CAPS.frameBytes}`,
    { op: "decode", origin: "library" },
  );
}

/** Bytes of the capabilities of `count` frames. They have been checked: one without START has none. */
function capabilityBytes(view: DataView, from: number, count: number): number {
  let sum = 0;
  for (let at = from, n = 0; n < count; n++) {
    sum += view.getUint16(at + 28);
    at += view.getUint32(at);
  }
  return sum;
}
