/**
 * A connection: bytes that are bounded and timed, one writer, one close reason.
 *
 * @module
 */

import type { CloseReason } from "./close_reason.ts";
import type { Backend } from "./config/config.ts";
import { deferred } from "./deferred.ts";
import { TransportError } from "./errors.ts";
import type { Link } from "./link.ts";
import { RawSink } from "./raw_sink.ts";
import type { TlsInfo } from "./runtime/runtime.ts";
import type { Attachable, Carrier, Sink } from "./sink.ts";
import { readableOf, writableOf } from "./streams.ts";

/** A host and a port. */
export interface Endpoint {
  /** An IP address. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What is known of a connection. */
export interface ConnectionInfo {
  /** Identifies it within its transport, in logs and events. */
  readonly id: string;
  /** Which end this is. */
  readonly role: "dialer" | "listener";
  /** What carries it. */
  readonly backend: Backend;
  /** The other end; absent on a Unix socket. */
  readonly remote?: Endpoint;
  /** This end; absent on a Unix socket. */
  readonly local?: Endpoint;
  /** The user at the other end of a Unix socket, where the runtime can tell: Deno with `--allow-ffi`, and Bun, on Linux. */
  readonly peerUid?: number;
  /** What the TLS handshake settled; absent without TLS. */
  readonly tls?: TlsInfo;
  /** Milliseconds from accept or dial until it was usable, the TLS handshake included. */
  readonly openedAfterMs?: number;
}

/** Options of a single read or write. */
export interface IoOptions {
  /** Gives up waiting. */
  signal?: AbortSignal;
}

/**
 * A bidirectional stream of bytes, dialled or accepted.
 *
 * Disposing it closes it in order: what was written is sent, then the peer's end is awaited, for at
 * most 5 seconds.
 *
 * @example Reading what a peer sends, in one buffer
 * ```ts
 * import { Transport } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * await using server = new Transport();
 * const listener = await server.listen({
 *   address: "tcp://127.0.0.1:0",
 *   onConnection: async (connection) => {
 *     await connection.write(new TextEncoder().encode("hello"));
 *   },
 * });
 * await using client = new Transport();
 * await using connection = await client.dial(listener.address);
 * const buffer = new Uint8Array(16);
 * const n = await connection.read(buffer);
 * assert.equal(new TextDecoder().decode(buffer.subarray(0, n ?? 0)), "hello");
 * ```
 */
export class Connection implements Attachable, AsyncDisposable {
  readonly #link: Link;
  /** Gone once a protocol has taken the bytes over. */
  #raw: RawSink | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** @internal Made by {@linkcode Listener} and {@linkcode Transport.dial}. */
  constructor(link: Link) {
    this.#link = link;
    this.#raw = new RawSink(link);
    link.use(this.#raw);
  }

  /** Resolves once, with the first cause. Never rejects. */
  get closed(): Promise<CloseReason> {
    return this.#link.closed;
  }

  /** What is known of it. */
  get info(): ConnectionInfo {
    return this.#link.info;
  }

  /** Aborted when it is over. */
  get signal(): AbortSignal {
    return this.#link.signal;
  }

  /**
   * Reads what is there, or waits for some, at most `read_timeout`.
   *
   * @param into Where the bytes go; not to be touched until it resolves.
   * @returns How many bytes were read, or `null` at the end of input.
   * @throws {TransportError} `misuse` for a second read at a time, or once taken over by a protocol;
   * the cause of the close otherwise.
   */
  read(into: Uint8Array, options: IoOptions = {}): Promise<number | null> {
    return this.#raw?.read(into, options.signal) ?? Promise.reject(taken("read"));
  }

  /**
   * Writes all of `bytes`, waiting for room in the inbox. Larger than the frame cap goes in pieces.
   *
   * @param bytes Not to be changed until it resolves.
   * @returns When the memory may be used again. That the peer has it, only the peer can tell.
   * @throws {TransportError} `busy` when too many callers wait; `misuse` after close; the cause of the close.
   */
  async write(bytes: Uint8Array, options: IoOptions = {}): Promise<void> {
    if (this.#raw === undefined) throw taken("write");
    const { outbox, maxFrameBytes } = this.#link;
    for (let from = 0; from < bytes.length; from += maxFrameBytes) {
      const piece = bytes.length <= maxFrameBytes
        ? bytes
        : bytes.subarray(from, from + maxFrameBytes);
      const { promise, resolve, reject } = deferred<void>();
      const done = (error: TransportError | undefined): void =>
        error === undefined ? resolve() : reject(error);
      options.signal?.throwIfAborted();
      const put = (): boolean => outbox.push(undefined, piece, done);
      if (!put()) await outbox.inTurn(piece.length, put, options.signal);
      await promise;
    }
  }

  /**
   * Queues `bytes`, if there is room now.
   *
   * @param bytes At most `limits.max_frame_bytes`; not to be changed afterwards.
   * @throws {TransportError} Nothing was taken: `busy` when the inbox is full, `rate_limited` when the
   * egress rate cannot pay for its first piece; `too_large`; `misuse` after close.
   */
  tryWrite(bytes: Uint8Array): void {
    if (this.#raw === undefined) throw taken("write");
    const { outbox, maxFrameBytes } = this.#link;
    if (bytes.length > maxFrameBytes) {
      throw new TransportError(
        "too_large",
        `One write takes at most ${maxFrameBytes} B, got ${bytes.length} B: split it`,
        { op: "write" },
      );
    }
    if (outbox.push(undefined, bytes, undefined)) return;
    throw outbox.refusal(bytes.length);
  }

  /** The bytes from the peer as a WHATWG byte stream; made when first asked for. Slower than {@linkcode Connection.read}. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= readableOf(this);
  }

  /** Bytes to the peer as a WHATWG stream; closing it ends our side, and the peer may go on. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /**
   * Ends our side once all is sent; the peer may go on.
   *
   * @throws {TransportError} `misuse` over Tor, which has no half-close, until the peer has ended; nothing
   * has changed then. With TLS over Tor one side can end alone, except on Bun.
   */
  closeWrite(): void {
    this.#link.closeWrite();
  }

  /**
   * Closes in order: sends what was written, ends our side, waits for the peer's end, at most 5 s.
   *
   * @returns When it is over; see {@linkcode Connection.closed} for the reason. Idempotent.
   */
  close(): Promise<void> {
    return this.#link.close();
  }

  /**
   * Gives it up at once; what was not sent is lost.
   *
   * @param cause Told to whoever waits.
   */
  abort(cause?: unknown): void {
    this.#link.abort(cause);
  }

  /** Same as {@linkcode Connection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Gives the bytes to a protocol from here on; `read` and `write` then throw `misuse`.
   *
   * @param make Builds the protocol's sink.
   * @throws {TransportError} `misuse` when taken over before, or closed.
   */
  attach<T extends Sink>(make: (carrier: Carrier) => T): T {
    const raw = this.#raw;
    if (raw === undefined) throw taken("attach");
    this.#raw = undefined;
    const sink = make(this.#link);
    raw.handOver(sink, this.#link);
    return sink;
  }
}

function taken(op: string): TransportError {
  return new TransportError(
    "misuse",
    `Cannot ${op}: a protocol has taken this connection over, use what framed() returned`,
    { op },
  );
}
