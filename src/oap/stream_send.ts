/**
 * Sending a body as one stream of frames.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { iterate, type Piece, pieces, type StreamSource } from "./chunk_source.ts";
import { ChunkHeads } from "./chunk_heads.ts";
import { checkFrame, encodeHead } from "./encoder.ts";
import { EMPTY, FLAGS, type FrameHead, HEADER_BYTES } from "./frame.ts";
import { mayCompress } from "./may_compress.ts";
import type { Sender } from "./sender.ts";
import { soleFrame } from "./zstd_frame.ts";

/** What a stream came to. */
export interface StreamResult {
  /** Frames sent. */
  readonly frames: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** Frames that were sent compressed. */
  readonly compressedFrames: number;
  /** Bytes of all frames: headers, capability and payloads as sent. */
  readonly wireBytes: number;
}

/** How a body is sent. */
export interface StreamOptions {
  /** Most bytes of a payload. */
  readonly chunkBytes: number;
  /** Compresses a chunk, or leaves it. */
  readonly compress: ((chunk: Uint8Array) => Uint8Array | undefined) | undefined;
  /** Told of the bytes of each chunk. */
  readonly onChunk: (bytes: number) => void;
  /** Gives the stream up. */
  readonly signal: AbortSignal;
}

/** Chunks of one stream that are queued at a time, so that others come between them. */
const AHEAD = 8;
/** Code of the frame that ends a stream which was given up: the client closed the request. */
const CANCELLED = 499;

/** One stream on its way. */
export class StreamSend {
  readonly #sender: Sender;
  readonly #head: FrameHead;
  readonly #chunkBytes: number;
  readonly #compress: ((chunk: Uint8Array) => Uint8Array | undefined) | undefined;
  readonly #signal: AbortSignal;
  readonly #onChunk: (bytes: number) => void;
  /** Its memory is used again after 17 chunks or more, and at most {@linkcode AHEAD} are on their way. */
  #heads: ChunkHeads | undefined = undefined;
  #frames = 0;
  #bytes = 0;
  #compressed = 0;
  #wire = 0;
  #queued = 0;
  #failure: TransportError | undefined = undefined;
  #wake: (() => void) | undefined = undefined;
  /** Chunks queued at which whoever waits goes on. */
  #wakeAt = 0;

  /** @param sender Where frames go. @param head What they share. @param how The rest. */
  constructor(sender: Sender, head: FrameHead, how: StreamOptions) {
    this.#sender = sender;
    this.#head = head;
    this.#chunkBytes = how.chunkBytes;
    this.#compress = (sender.flags & FLAGS.COMP) !== 0 ? how.compress : undefined;
    this.#signal = how.signal;
    this.#onChunk = how.onChunk;
    const first = checkFrame(
      { ...head, flags: head.flags | FLAGS.START, payload: EMPTY },
      sender.maxFrameBytes,
    );
    if (first >= sender.maxFrameBytes || (head.flags & FLAGS.COMP) !== 0) {
      throw new TransportError(
        "misuse",
        `Cannot send a stream with flags ${head.flags} and a head of ${first} bytes: COMP is decided for each chunk, and frames of at most ${sender.maxFrameBytes} bytes must have room for some`,
        { op: "write" },
      );
    }
  }

  /** Sends the body, and waits until its memory is free again. */
  async run(source: StreamSource): Promise<StreamResult> {
    try {
      this.#signal.throwIfAborted();
      if (source instanceof Uint8Array) await this.#runBytes(source);
      else await this.#runPieces(iterate(source, this.#signal));
    } catch (error) {
      await this.#cancel();
      throw this.#sender.outbox.failure ?? error;
    } finally {
      await this.#ahead(0);
    }
    if (this.#failure !== undefined) throw this.#failure;
    return {
      frames: this.#frames,
      bytes: this.#bytes,
      compressedFrames: this.#compressed,
      wireBytes: this.#wire,
    };
  }

  get #firstBytes(): number {
    const cap = this.#head.capability?.length ?? 0;
    return Math.min(this.#chunkBytes, this.#sender.maxFrameBytes - HEADER_BYTES - cap);
  }

  get #nextBytes(): number {
    return Math.min(this.#chunkBytes, this.#sender.maxFrameBytes - HEADER_BYTES);
  }

  async #runBytes(body: Uint8Array): Promise<void> {
    let at = Math.min(body.length, this.#firstBytes);
    if (this.#compress === undefined && this.#head.capability === undefined) {
      at = body.length === 0 ? 0 : -1;
    }
    if (at >= 0) {
      await this.#chunk({ bytes: body.subarray(0, at), last: at === body.length, free() {} });
    }
    at = Math.max(at, 0);
    while (at < body.length) {
      if (this.#compress === undefined) at = await this.#block(body, at);
      else {
        const end = Math.min(body.length, at + this.#nextBytes);
        await this.#chunk({ bytes: body.subarray(at, end), last: end === body.length, free() {} });
        at = end;
      }
    }
  }

  async #runPieces(source: AsyncIterable<Uint8Array>): Promise<void> {
    // All pieces of one size: the one that also has room for the capability.
    for await (const piece of pieces(source, this.#firstBytes)) await this.#chunk(piece);
  }

  /** Sends up to 16 chunks whose headers are written in one call. Returns where the next one starts. */
  async #block(body: Uint8Array, from: number): Promise<number> {
    const size = this.#nextBytes;
    this.#heads ??= new ChunkHeads(this.#head);
    const heads = this.#heads.write(body.length - from, size, this.#frames === 0);
    let at = from;
    for (let h = 0; h < heads.length; h += HEADER_BYTES) {
      const n = Math.min(size, body.length - at);
      const payload = new Uint8Array(body.buffer, body.byteOffset + at, n);
      const waits = this.#put(heads.subarray(h, h + HEADER_BYTES), payload, () => {});
      if (waits !== undefined) await waits;
      at += n;
      this.#bytes += n;
    }
    return at;
  }

  /** Sends one chunk, compressed where that may be. */
  async #chunk(piece: Piece): Promise<void> {
    const { bytes, last } = piece;
    const first = this.#frames === 0;
    const packed = this.#pack(bytes);
    const comp = packed !== undefined;
    const payload = packed ?? bytes;
    const edges = (first ? FLAGS.START : 0) | (last ? FLAGS.END : 0) | (comp ? FLAGS.COMP : 0);
    const flags = this.#head.flags & ~(FLAGS.START | FLAGS.END) | edges;
    const { code, appProtoId, tenantId, corrId, capability } = this.#head;
    const head = new Uint8Array(HEADER_BYTES + (first ? capability?.length ?? 0 : 0));
    const fields = {
      flags,
      code,
      appProtoId,
      tenantId,
      corrId,
      capability: first ? capability : undefined,
    };
    encodeHead(head, new DataView(head.buffer), 0, fields, flags, payload.length);
    await this.#put(head, payload, () => piece.free());
    this.#bytes += bytes.length;
    if (comp) this.#compressed++;
  }

  /** The chunk compressed, if every receiver's guard takes it. */
  #pack(bytes: Uint8Array): Uint8Array | undefined {
    const made = this.#compress?.(bytes);
    const packed = made === undefined ? undefined : soleFrame(made);
    if (packed === undefined) return undefined;
    const { maxFrameBytes } = this.#sender;
    return mayCompress(bytes.length, packed.length, { maxFrameBytes }) ? packed : undefined;
  }

  /** Queues a frame; waits only where enough are queued already, or there is no room. */
  #put(head: Uint8Array, payload: Uint8Array, free: () => void): Promise<void> | undefined {
    this.#check();
    if (this.#queued < AHEAD && this.#offer(head, payload, free)) return undefined;
    return this.#putInTurn(head, payload, free);
  }

  async #putInTurn(head: Uint8Array, payload: Uint8Array, free: () => void): Promise<void> {
    // Several go out by one write, which costs less than one by one: also where others have filled the inbox.
    await this.#ahead(AHEAD / 2);
    this.#check();
    const put = (): boolean => this.#offer(head, payload, free);
    const bytes = head.length + payload.length;
    if (!put()) await this.#sender.outbox.inTurn(bytes, put, this.#signal);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#signal.throwIfAborted();
  }

  #offer(head: Uint8Array, payload: Uint8Array, free: () => void): boolean {
    const done = (error: TransportError | undefined): void => {
      this.#queued--;
      this.#failure ??= error;
      free();
      if (this.#queued <= this.#wakeAt) this.#wake?.();
    };
    // Before it is queued, as `done` may be called at once.
    this.#queued++;
    let queued = false;
    try {
      queued = this.#sender.offerParts(head, payload, head[7] as number, done);
    } finally {
      if (!queued) this.#queued--;
    }
    if (!queued) return false;
    this.#onChunk(payload.length);
    this.#frames++;
    this.#wire += head.length + payload.length;
    return true;
  }

  /** Waits until at most `n` chunks are queued. */
  async #ahead(n: number): Promise<void> {
    this.#wakeAt = n;
    while (this.#queued > n) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  /** Ends a stream that has begun and will not be finished. */
  async #cancel(): Promise<void> {
    if (
      this.#frames === 0 || this.#failure !== undefined || this.#sender.outbox.failure !== undefined
    ) return;
    const flags = this.#head.flags & ~(FLAGS.START | FLAGS.END) | FLAGS.END;
    await this.#sender.send({
      ...this.#head,
      capability: undefined,
      flags,
      code: CANCELLED,
      payload: EMPTY,
    }, undefined).catch(() => {});
  }
}
