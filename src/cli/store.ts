/**
 * Streams on their way to files: one open file a stream, written as its chunks arrive.
 *
 * @module
 */

import { FLAGS, type Frame } from "../oap/mod.ts";
import {
  createOutput,
  type Digest,
  join,
  moveFile,
  type OutputFile,
  removePath,
  sha256,
} from "../runtime/host_files.ts";

/** A stream that is complete and in its place. */
export interface StoredStream {
  /** Path of the file. */
  readonly file: string;
  readonly bytes: number;
  readonly frames: number;
  readonly sha256: string;
  /** From its first frame until it was in place. */
  readonly seconds: number;
}

/** What became of a stream with one of its frames: stored, refused with a status, or neither yet. */
export type Taken =
  | StoredStream
  | { readonly status: 400 | 413 | 499 | 500; readonly why: string }
  | undefined;

/** What a {@linkcode StreamStore} is told. */
export interface StoreOptions {
  /** Where the files go. */
  readonly directory: string;
  /** Gives each file a name of its own; nothing of the peer's goes into it. */
  readonly name: () => string;
  /** Largest stream, in bytes. */
  readonly mostBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Open {
  readonly part: string;
  readonly place: string;
  readonly out: OutputFile;
  readonly digest: Digest;
  readonly since: number;
  bytes: number;
  frames: number;
}

/** Most streams of one connection that are open at a time. */
const MOST_OPEN = 64;

/** The streams of one connection. Frames are taken one at a time, in order. */
export class StreamStore {
  readonly #options: StoreOptions;
  readonly #open = new Map<string, Open>();
  /** Streams that were refused and still go on. */
  readonly #refused = new Set<string>();

  /** @param options Where to and how much. */
  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Whether the frame belongs to a stream, rather than being a message of its own. */
  isPart(frame: Frame): boolean {
    const key = keyOf(frame);
    return (frame.flags & (FLAGS.START | FLAGS.END)) !== 0 || this.#open.has(key) ||
      this.#refused.has(key);
  }

  /**
   * Takes a frame out of the middle of an open stream, with no promise made for it.
   *
   * @returns `false` for any other frame, and where something is in the way: {@linkcode take} tells what.
   */
  append(frame: Frame): boolean {
    if ((frame.flags & (FLAGS.START | FLAGS.END)) !== 0 || frame.code >= 400) return false;
    const stream = this.#open.get(keyOf(frame));
    if (stream === undefined || this.#tooLong(stream, frame)) return false;
    try {
      append(stream, frame.payload);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Writes a frame's payload; resolves once the file took it, which is what holds the peer back.
   *
   * @param frame A frame of a stream.
   */
  async take(frame: Frame): Promise<Taken> {
    const key = keyOf(frame);
    if (this.#refused.has(key)) {
      if ((frame.flags & FLAGS.END) !== 0) this.#refused.delete(key);
      return undefined;
    }
    const taken = await this.#write(key, frame);
    if (taken !== undefined && "status" in taken && (frame.flags & FLAGS.END) === 0) {
      if (this.#refused.size >= MOST_OPEN) this.#refused.clear();
      this.#refused.add(key);
    }
    return taken;
  }

  /** Gives up all open streams; returns how many there were. */
  async abandon(): Promise<number> {
    const keys = [...this.#open.keys()];
    for (const key of keys) await this.#discard(key);
    return keys.length;
  }

  async #write(key: string, frame: Frame): Promise<Taken> {
    try {
      const stream = (frame.flags & FLAGS.START) !== 0
        ? await this.#start(key)
        : this.#open.get(key);
      if (stream === undefined) {
        return { status: 400, why: "the stream is not open, is open twice, or is one too many" };
      }
      if (frame.code >= 400) {
        await this.#discard(key);
        return { status: 499, why: "its sender cancelled the stream" };
      }
      if (this.#tooLong(stream, frame)) {
        await this.#discard(key);
        return { status: 413, why: `a stream may have ${this.#options.mostBytes} B at most` };
      }
      append(stream, frame.payload);
      return (frame.flags & FLAGS.END) !== 0 ? await this.#finish(key, stream) : undefined;
    } catch (error) {
      await this.#discard(key);
      return { status: 500, why: error instanceof Error ? error.message : String(error) };
    }
  }

  #tooLong(stream: Open, frame: Frame): boolean {
    return stream.bytes + frame.payload.byteLength > this.#options.mostBytes;
  }

  async #start(key: string): Promise<Open | undefined> {
    if (this.#open.has(key) || this.#open.size >= MOST_OPEN) return undefined;
    const { directory, name, now } = this.#options;
    const file = name();
    const part = join(directory, `.${file}.part`);
    const out = await createOutput(part);
    const place = join(directory, file);
    const stream = { part, place, out, digest: sha256(), since: now(), bytes: 0, frames: 0 };
    this.#open.set(key, stream);
    return stream;
  }

  async #finish(key: string, stream: Open): Promise<StoredStream> {
    await stream.out.close();
    await moveFile(stream.part, stream.place);
    this.#open.delete(key);
    return {
      file: stream.place,
      bytes: stream.bytes,
      frames: stream.frames,
      sha256: stream.digest.hex(),
      seconds: (this.#options.now() - stream.since) / 1_000,
    };
  }

  async #discard(key: string): Promise<void> {
    const stream = this.#open.get(key);
    if (stream === undefined) return;
    this.#open.delete(key);
    await stream.out.close().catch(() => undefined);
    await removePath(stream.part).catch(() => undefined);
  }
}

function append(stream: Open, payload: Uint8Array): void {
  stream.frames++;
  if (payload.byteLength === 0) return;
  stream.digest.update(payload);
  stream.out.write(payload);
  stream.bytes += payload.byteLength;
}

function keyOf(frame: Frame): string {
  return `${frame.tenantId}/${frame.appProtoId}/${frame.corrId}`;
}
