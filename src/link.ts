/**
 * The life of one socket: opening, open, draining, closed.
 *
 * A link owns the deadlines, the writer and the close reason of a connection. It passes bytes to
 * whatever sink is attached and never looks at them. The first cause to close it wins and is told
 * once; waits are settled before the socket is given up.
 *
 * @module
 */

import type { BlockPool } from "./block_pool.ts";
import { CAPS } from "./caps.ts";
import type { Clock } from "./clock.ts";
import type { Backend, ConfigSnapshot } from "./config/config.ts";
import { brokenOff, type CloseReason, DRAIN_MS, timeoutError } from "./close_reason.ts";
import type { ConnectionInfo } from "./connection.ts";
import type { Counters } from "./counters.ts";
import { deferred } from "./deferred.ts";
import { type DeadlineName, Deadlines } from "./deadlines.ts";
import { TransportError } from "./errors.ts";
import type { PendingSocket, Socket, SocketFault, SocketHandler } from "./runtime/runtime.ts";
import type { Carrier, Sink, SinkReport } from "./sink.ts";
import { Writer } from "./writer.ts";

/** What a link is made of. */
export interface LinkOptions {
  readonly id: string;
  readonly role: "dialer" | "listener";
  readonly backend: Backend;
  readonly config: ConfigSnapshot;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly pool: BlockPool;
  /** Protocols of which one must have been agreed on; empty: none needed. */
  readonly alpn: readonly string[];
  /** Called once when the link is usable. */
  readonly onOpen: (link: Link) => void;
  /** Called once when it is closed, opened or not. */
  readonly onClosed: (link: Link, reason: CloseReason) => void;
  /** Called once when its descriptor is free. */
  readonly onReleased: () => void;
}

/** See the module. */
export class Link implements SocketHandler, Carrier {
  readonly role: "dialer" | "listener";
  readonly outbox: Writer;
  readonly closed: Promise<CloseReason>;
  readonly maxFrameBytes: number;
  readonly chunkBytes: number;
  /** Bytes received. */
  bytesIn = 0;
  /** Bytes sent. */
  bytesOut = 0;
  /** Milliseconds from accept or dial until usable; `undefined` if it never was. */
  openedAfter: number | undefined;
  readonly startedAt: number;
  readonly #options: LinkOptions;
  readonly #deadlines: Deadlines;
  readonly #resolveClosed: (reason: CloseReason) => void;
  #state: "opening" | "open" | "draining" | "closed" = "opening";
  #pending: PendingSocket | undefined;
  #socket: Socket | undefined;
  #sink: Sink | undefined;
  #abort: AbortController | undefined;
  #cause: CloseReason | undefined;
  #info: ConnectionInfo | undefined;
  #peerEnded = false;
  #paused = false;

  /** @param options The parts and whom to tell. */
  constructor(options: LinkOptions) {
    const { clock, config, counters } = options;
    this.#options = options;
    this.role = options.role;
    this.maxFrameBytes = config.limits.max_frame_bytes;
    this.chunkBytes = config.limits.chunk_bytes;
    this.startedAt = clock.now();
    this.#deadlines = new Deadlines(clock, (name) => this.#expired(name));
    this.outbox = new Writer({
      items: CAPS.inboxItems,
      bytes: 4 * CAPS.frameBytes,
      pool: options.pool,
      onBusy: (busy) => {
        if (busy) this.#startWriteClock();
        else this.#deadlines.clear("write");
      },
      onTaken: (n) => {
        this.bytesOut += n;
        counters.bytesOut += n;
        this.#progress();
      },
      onRefused: () => counters.busy++,
    });
    const { promise, resolve } = deferred<CloseReason>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    const wait = options.role === "listener" ? config.handshake_timeout : config.dial_timeout;
    this.#deadlines.set("handshake", this.startedAt + wait);
  }

  /** The connection's facts. */
  get info(): ConnectionInfo {
    return this.#info ??= this.#facts();
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state === "closed") this.#abort.abort(this.#cause?.error);
    }
    return this.#abort.signal;
  }

  /** Whether the peer will send no more. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Whether it is over. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  now(): number {
    return this.#options.clock.now();
  }

  after(ms: number, callback: () => void): { cancel(): void } {
    const timer = this.#options.clock.after(ms, () => {
      if (this.#state !== "closed") callback();
    });
    return timer;
  }

  /** The socket while it opens: whoever has it can give it up. */
  hold(pending: PendingSocket): void {
    if (this.#state === "closed") pending.destroy();
    else if (this.#state === "opening") this.#pending = pending;
  }

  /** Gives the bytes to `sink`, from the next on. */
  use(sink: Sink): void {
    this.#sink = sink;
  }

  /** A caller waits for bytes, or no longer does: runs the read clock while nothing is framed. */
  waiting(on: boolean): void {
    if (on) this.#deadlines.set("read", this.now() + this.#options.config.read_timeout);
    else this.#deadlines.clear("read");
  }

  onOpen(socket: Socket): void {
    if (this.#state !== "opening") return socket.destroy();
    this.#pending = undefined;
    this.#socket = socket;
    const { alpn, config } = this.#options;
    if (alpn.length > 0 && socket.info.tls?.alpn === undefined && this.role === "dialer") {
      return this.fail(
        new TransportError(
          "tls",
          `The peer must agree on one of the protocols ${alpn.join(", ")} by ALPN, but chose none`,
          { op: "handshake", origin: "remote" },
        ),
      );
    }
    const now = this.now();
    this.openedAfter = now - this.startedAt;
    this.#state = "open";
    this.#deadlines.clear("handshake");
    this.#deadlines.set("idle", now + config.idle_timeout);
    this.#options.onOpen(this);
    // Closed by the one told, or not: bytes that were queued meanwhile go out now.
    if (this.#socket !== undefined) this.outbox.start(socket);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#state !== "open") return this.#state === "draining"; // what comes after our close is dropped
    this.bytesIn += bytes.length;
    this.#options.counters.bytesIn += bytes.length;
    return this.#push(bytes, owned);
  }

  /** Gives bytes that were received and held before to the sink now in place. */
  deliver(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#push(bytes, true)) this.resume();
    else this.#socket?.pause();
  }

  onWritten(n: number): void {
    this.#progress();
    this.outbox.written(n);
  }

  onDrain(): void {
    this.outbox.drained();
  }

  onEnd(): void {
    this.#peerEnded = true;
    this.#deadlines.clear("read");
    this.#deadlines.clear("frame");
    if (this.#state === "open") this.#sink!.end();
  }

  onClose(fault: SocketFault | undefined): void {
    this.#info ??= this.#facts();
    this.#pending = this.#socket = undefined;
    if (this.#state !== "closed") this.#finish(this.#cause ?? this.#reasonOf(fault));
    this.#options.onReleased();
  }

  resume(): void {
    if (this.#state !== "open") return;
    this.#paused = false;
    this.#deadlines.set("idle", this.now() + this.#options.config.idle_timeout);
    this.#socket?.resume();
  }

  fail(error: TransportError): void {
    const fault = error.fault;
    this.#finish({
      kind: error.kind,
      by: error.origin,
      error,
      ...(fault === undefined ? {} : { fault }),
    });
  }

  /** Ends our side once all is sent; the peer may go on. */
  closeWrite(): void {
    this.outbox.end(closedError("the write side was closed"));
  }

  close(): Promise<void> {
    if (this.#state === "opening") this.abort();
    if (this.#state === "open") {
      this.#state = "draining";
      this.#cause = { kind: "closed", by: this.#peerEnded ? "remote" : "local" };
      this.#deadlines.clear("read");
      this.#deadlines.clear("frame");
      this.#deadlines.clear("idle");
      this.#deadlines.set("drain", this.now() + DRAIN_MS);
      this.outbox.end(closedError("the connection was closed"));
      if (this.#paused) this.#socket?.resume();
    }
    return this.closed.then(() => {});
  }

  /** Finishes what is in flight, then closes. */
  drain(): void {
    if (this.#state === "open" && this.#sink?.drain !== undefined) this.#sink.drain();
    else void this.close();
  }

  /** Gives the connection up now. */
  abort(cause?: unknown): void {
    const error = TransportError.is(cause) ? cause : undefined;
    this.#finish({ kind: "aborted", by: "local", ...(error === undefined ? {} : { error }) });
  }

  #push(bytes: Uint8Array, owned: boolean): boolean {
    const report = this.#sink!.push(bytes, owned);
    if (this.#state !== "open") return this.#state === "draining";
    this.#runClocks(report);
    this.#paused = report.pause;
    return !report.pause;
  }

  #runClocks(report: SinkReport): void {
    const { config } = this.#options;
    const deadlines = this.#deadlines;
    if (report.pause) {
      // Our own consumer is behind: no clock runs against the peer.
      deadlines.clear("read");
      deadlines.clear("frame");
      deadlines.clear("idle");
      return;
    }
    const now = this.now();
    if (report.owed === 0) {
      deadlines.clear("read");
      deadlines.clear("frame");
      deadlines.set("idle", now + config.idle_timeout);
      return;
    }
    deadlines.clear("idle");
    deadlines.set("read", now + config.read_timeout);
    // From the frame's first byte, and moved by nothing: a drip cannot stretch it.
    if (report.completed > 0 || !deadlines.has("frame")) {
      deadlines.set("frame", now + config.idle_timeout);
    }
  }

  /** The socket moved bytes of ours. */
  #progress(): void {
    if (this.#deadlines.has("write")) this.#startWriteClock();
    if (this.#deadlines.has("idle")) {
      this.#deadlines.set("idle", this.now() + this.#options.config.idle_timeout);
    }
  }

  #startWriteClock(): void {
    this.#deadlines.set("write", this.now() + this.#options.config.write_timeout);
  }

  #expired(name: DeadlineName): void {
    this.fail(timeoutError(name, this.role, this.#options.config));
  }

  #reasonOf(fault: SocketFault | undefined): CloseReason {
    if (fault === undefined && this.#peerEnded) return { kind: "closed", by: "remote" };
    return brokenOff(fault, this.openedAfter === undefined ? this.role : undefined);
  }

  #finish(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#info ??= this.#facts();
    this.#cause = reason;
    this.#state = "closed";
    this.#deadlines.close();
    const error = reason.error ?? closedError("the connection is closed");
    this.outbox.fail(error);
    this.#sink?.closed(reason);
    this.#abort?.abort(error);
    this.#options.onClosed(this, reason);
    this.#resolveClosed(reason);
    // Last, as it can take long: no promise waits for the kernel.
    const socket = this.#socket ?? this.#pending;
    this.#socket = this.#pending = undefined;
    socket?.destroy();
  }

  #facts(): ConnectionInfo {
    const { id, role, backend } = this.#options;
    const info = this.#socket?.info;
    const remote = info?.remote ?? this.#pending?.remote;
    return Object.freeze({
      id,
      role,
      backend,
      ...(remote === undefined ? {} : { remote }),
      ...(info?.local === undefined ? {} : { local: info.local }),
      ...(info?.tls === undefined ? {} : { tls: info.tls }),
      ...(this.openedAfter === undefined ? {} : { openedAfterMs: this.openedAfter }),
    });
  }
}

function closedError(what: string): TransportError {
  return new TransportError("misuse", `Nothing more can be sent: ${what}`, { op: "write" });
}
