/**
 * A stream over Tor as a socket that pushes.
 *
 * Tor ends a stream in both directions at once. So `shutdown` is the end of it all, and what the peer had
 * under way is lost; a link asks for it only when nothing more is wanted, and refuses `closeWrite` before.
 *
 * @module
 */

import type {
  ByteStream,
  PendingSocket,
  Socket,
  SocketFault,
  SocketHandler,
  SocketInfo,
} from "../runtime/runtime.ts";

/** Most bytes of a write: small enough that a slow circuit moves one within the write deadline. */
const WRITE_BYTES = 32_768;
/** Bytes of the buffer that a waiting read pins. */
const READ_BYTES = 16_384;

/**
 * See the module. Invariant: at most one read and one write of the stream are under way; the handler is
 * called from their ends, so never from inside a call of this socket.
 */
export class ArtiSocket implements Socket, PendingSocket {
  readonly lends = true;
  readonly halfCloses = false;
  readonly info: SocketInfo = Object.freeze({});
  readonly remote = undefined;
  readonly circuit: number | undefined;
  readonly #stream: ByteStream;
  #handler: SocketHandler | undefined;
  #buffer: Uint8Array | undefined;
  /** Received while paused, at the front of the buffer. */
  #held = 0;
  #paused = false;
  #pulling = false;
  #writing = false;
  #refused = false;
  #shut = false;
  #ending = false;
  #ended = false;
  #closed = false;
  /** The write side broke: the reader still gets what had arrived. */
  #broken: SocketFault | undefined;

  /**
   * @param stream Nothing else may use it.
   * @param circuit The circuit it came by; 0 where that is not known.
   */
  constructor(stream: ByteStream, circuit: number = 0) {
    this.#stream = stream;
    this.circuit = circuit === 0 ? undefined : circuit;
  }

  /** Begins: the handler is told that it is open, and gets what comes. */
  open(handler: SocketHandler): void {
    if (this.#closed) return handler.onClose(undefined);
    this.#handler = handler;
    handler.onOpen(this);
    this.resume();
  }

  write(bytes: Uint8Array): number {
    if (this.#closed || this.#shut || this.#broken !== undefined) return 0;
    if (this.#writing) {
      this.#refused = true;
      return 0;
    }
    const taken = bytes.length <= WRITE_BYTES ? bytes : bytes.subarray(0, WRITE_BYTES);
    this.#refused = taken.length < bytes.length;
    this.#writing = true;
    this.#stream.write(taken).then(
      () => this.#written(taken.length),
      (cause) => this.#writeFailed(cause),
    );
    return taken.length;
  }

  cork(): void {}

  uncork(): void {}

  shutdown(): void {
    if (this.#shut || this.#closed) return;
    this.#shut = true;
    if (!this.#writing) this.#end();
  }

  destroy(): void {
    this.#finish(undefined);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#pulling) void this.#pull();
  }

  async #pull(): Promise<void> {
    this.#pulling = true;
    await undefined; // not from inside a call of this socket
    try {
      while (!this.#paused && !this.#closed && !this.#ended) await this.#receive();
    } catch (cause) {
      this.#finish(this.#broken ?? { type: "reset", cause });
    } finally {
      this.#pulling = false;
    }
  }

  async #receive(): Promise<void> {
    const buffer = this.#buffer ??= new Uint8Array(READ_BYTES);
    const n = this.#held > 0 ? this.#held : await this.#stream.read(buffer);
    if (this.#closed) return;
    this.#held = 0;
    if (n === 0) return this.#peerEnded();
    if (this.#paused) this.#held = n;
    else if (!this.#handler!.onBytes(buffer.subarray(0, n), false)) this.#paused = true;
  }

  #peerEnded(): void {
    this.#ended = true;
    this.#buffer = undefined;
    this.#handler!.onEnd();
    if (this.#broken !== undefined) this.#finish(this.#broken);
  }

  #written(n: number): void {
    this.#writing = false;
    if (this.#closed) return;
    this.#handler!.onWritten(n);
    if (this.#refused) {
      this.#refused = false;
      this.#handler!.onDrain();
    }
    if (this.#shut && !this.#writing) this.#end();
  }

  #writeFailed(cause: unknown): void {
    this.#writing = false;
    this.#broken = { type: "reset", cause };
    if (this.#ended || this.#shut) this.#finish(this.#broken);
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    // Once the peer has ended there is nobody to tell, and nothing to lose.
    this.#stream.end().then(
      () => this.#finish(undefined),
      (cause) => this.#finish(this.#ended ? undefined : { type: "reset", cause }),
    );
  }

  #finish(fault: SocketFault | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffer = undefined;
    this.#stream.close();
    const handler = this.#handler;
    if (handler !== undefined) queueMicrotask(() => handler.onClose(fault));
  }
}
