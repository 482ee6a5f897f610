/**
 * The life of one socket: opening, open, draining, closed.
 *
 * A link owns the deadlines, the writer and the close reason of a connection. It passes bytes to
 * whatever sink is attached and never looks at them. The first cause to close it wins and is told
 * once; waits are settled before the socket is given up.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { Clock } from "./clock.ts";
import { brokenOff, type CloseReason, timeoutError } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import type { ConnectionInfo } from "./connection.ts";
import type { Counters } from "./counters.ts";
import type { DeadlineName, DeadlineOwner } from "./deadlines.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { TransportError } from "./errors.ts";
import type { Admitted } from "./limits/admission.ts";
import type { ByteAccount } from "./limits/byte_account.ts";
import type { Opening } from "./limits/handshakes.ts";
import type { Limits } from "./limits/limits.ts";
import { LinkClocks } from "./link_clocks.ts";
import type { Reaper } from "./reaper.ts";
import { Reading, type ReadingOwner } from "./reading.ts";
import type { PendingSocket, Socket, SocketFault, SocketHandler } from "./runtime/runtime.ts";
import type { Carrier, Sink, SinkReport } from "./sink.ts";
import type { PqLabel, Traffic } from "./traffic.ts";
import { Writer, type WriterBounds, type WriterOwner } from "./writer.ts";

/** Whom a link tells besides its host. */
export interface LinkEvents {
  /** It is usable. */
  onOpen(link: Link): void;
  /** It is closed, opened or not. */
  onClosed(link: Link, reason: CloseReason): void;
}

/** What all links of a transport share, and whom they tell. */
export interface LinkHost {
  readonly config: () => ConfigSnapshot;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: Limits;
  /** Closes sockets, a few at a time. */
  readonly reaper: Reaper;
  /** The bounds of a writer. */
  readonly inbox: WriterBounds;
  /** Connections that may be opening at a time. */
  readonly handshakeSlots: number;
  /** What connections of a transport share, by the protocol that made it. */
  shared<T extends object>(key: symbol, make: () => T): T;
  /** Called once when the link is usable; returns why it must not be. */
  onOpen(link: Link): TransportError | undefined;
  /** Called once when it is closed, opened or not. */
  onClosed(link: Link, reason: CloseReason): void;
  /** Called once when its descriptor is free. */
  onReleased(link: Link): void;
}

/** What a link is made of. */
export interface LinkOptions {
  readonly id: string;
  readonly role: "dialer" | "listener";
  readonly address: Address;
  /** Its slots, and whose limits it counts towards, where that is known already. */
  readonly admitted: Admitted;
  readonly events: LinkEvents;
}

/** See the module. */
export class Link
  implements SocketHandler, Carrier, ReadingOwner, WriterOwner, Opening, DeadlineOwner {
  readonly role: "dialer" | "listener";
  readonly outbox: Writer;
  /** Bytes received. */
  bytesIn = 0;
  /** Bytes sent. */
  bytesOut = 0;
  /** Milliseconds from accept or dial until usable; `undefined` if it never was. */
  openedAfter: number | undefined;
  readonly startedAt: number;
  /** What it is made of. */
  readonly options: LinkOptions;
  readonly #host: LinkHost;
  readonly #traffic: Traffic;
  readonly #clocks: LinkClocks;
  readonly #account: ByteAccount;
  readonly #reading: Reading;
  #state: "opening" | "open" | "draining" | "closed" = "opening";
  #pending: PendingSocket | undefined;
  #socket: Socket | undefined;
  #sink: Sink | undefined;
  #abort: AbortController | undefined;
  #closed: Deferred<CloseReason> | undefined;
  #cause: CloseReason | undefined;
  #info: ConnectionInfo | undefined;
  #peerEnded = false;
  /** Whether this side has closed, in order. */
  #closing = false;
  /** What comes after the bytes that are held. */
  #after: "end" | "close" | undefined;

  /** @param host What links share. @param options What is its own. */
  constructor(host: LinkHost, options: LinkOptions) {
    const { clock, config, counters, limits, inbox } = host;
    const { handshake_timeout, dial_timeout, arti } = config();
    this.options = options;
    this.#host = host;
    this.role = options.role;
    this.startedAt = clock.now();
    this.#traffic = counters.of(options.address.transport!);
    this.#clocks = new LinkClocks(clock, config, this);
    this.#account = limits.budget.account(options.admitted.peer);
    this.#reading = new Reading(this, limits, this.#account, counters);
    this.outbox = new Writer(inbox, this, this.#account);
    const delay = options.address.transport === "arti" ? arti.pre_dial_delay : 0;
    this.#clocks.opening(options.role === "listener" ? handshake_timeout : dial_timeout + delay);
  }

  /** The connection's facts. */
  get info(): ConnectionInfo {
    return this.#info ??= this.#facts();
  }

  /** The facts as they will be once `socket` is open. */
  infoOf(socket: Socket): ConnectionInfo {
    return this.#facts(socket);
  }

  /** The address of the other end, where it is known; unlike {@linkcode Link.info} it makes nothing. */
  get remote(): { readonly hostname: string; readonly port: number } | undefined {
    return this.#socket?.info.remote ?? this.#pending?.remote;
  }

  /** The user at the other end of a Unix socket, where it is known. */
  get uid(): number | undefined {
    return this.#socket?.info.uid ?? this.#pending?.uid ?? undefined;
  }

  /** The circuit of Tor that it came by, where it is known. */
  get circuit(): number | undefined {
    return this.#pending?.circuit;
  }

  /** What TLS negotiated. */
  get pq(): PqLabel {
    return this.#socket?.info.tls?.pq ?? "off";
  }

  get closed(): Promise<CloseReason> {
    if (this.#closed === undefined) {
      this.#closed = deferred();
      if (this.#state === "closed") this.#closed.resolve(this.#cause!);
    }
    return this.#closed.promise;
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

  /** Whether bytes still go to the sink. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether it is over. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** What it holds of the byte budget. */
  get account(): ByteAccount {
    return this.#account;
  }

  get maxFrameBytes(): number {
    return this.#host.config().limits.max_frame_bytes;
  }

  get chunkBytes(): number {
    return this.#host.config().limits.chunk_bytes;
  }

  get receiveBytes(): number {
    return this.#reading.receiveBytes;
  }

  now(): number {
    return this.#host.clock.now();
  }

  after(ms: number, callback: () => void): { cancel(): void } {
    const timer = this.#host.clock.after(ms, () => {
      if (this.#state !== "closed") callback();
    });
    return timer;
  }

  /** Its peer is known, as far as it will be. */
  belong(): void {
    const { peer } = this.options.admitted;
    if (peer !== undefined) this.#account.belong(peer);
    this.#reading.belong(peer);
    this.outbox.belong(this.#host.limits.egress, peer);
  }

  chunked(bytes: number): void {
    this.#traffic.chunks.observe(bytes);
  }

  shared<T extends object>(key: symbol, make: () => T): T {
    return this.#host.shared(key, make);
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
    this.#clocks.waiting(on);
  }

  onOpen(socket: Socket): void {
    if (this.#state !== "opening") return socket.destroy();
    this.#pending = undefined;
    this.#socket = socket;
    this.openedAfter = this.now() - this.startedAt;
    this.#state = "open";
    this.#clocks.open();
    const refusal = this.#host.onOpen(this);
    if (refusal !== undefined) return this.fail(refusal);
    // Closed by the one told, or not: bytes that were queued meanwhile go out now.
    if (this.#socket !== undefined) this.outbox.start(socket);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#state !== "open") return this.#state === "draining"; // what comes after our close is dropped
    const n = bytes.length;
    this.bytesIn += n;
    this.#traffic.bytesIn += n;
    this.#traffic.reads.observe(n);
    return this.#reading.receive(bytes, owned) && !this.isClosed;
  }

  /** Gives the sink bytes that were held by the raw sink before it. */
  deliver(bytes: Uint8Array): void {
    this.#reading.deliver(bytes);
  }

  push(bytes: Uint8Array, owned: boolean): SinkReport | undefined {
    if (this.#state !== "open") return undefined;
    const report = this.#sink!.push(bytes, owned);
    return this.isOpen ? report : undefined;
  }

  flow(on: boolean): void {
    if (on) this.#socket?.resume();
    else this.#socket?.pause();
  }

  onReport(report: SinkReport): void {
    this.#clocks.received(report);
  }

  onPaced(on: boolean): void {
    this.#clocks.paced(on);
    const after = this.#after;
    if (on || after === undefined) return;
    this.#after = undefined;
    this.onEnd();
    if (after === "close") this.onClose(undefined);
  }

  /** Whether the peer has said something that only an honest one says. */
  get greeted(): boolean {
    return this.#pending?.greeted === true;
  }

  /** Makes room for another one that is opening. */
  evict(): void {
    this.fail(
      new TransportError(
        "timeout",
        `All ${this.#host.handshakeSlots} handshake slots were taken, and this peer was the one that had been silent the longest`,
        { op: "handshake", origin: "remote" },
      ),
    );
  }

  onBusy(busy: boolean): void {
    this.#clocks.writing(busy);
  }

  onUnpaid(unpaid: boolean): void {
    this.#clocks.unpaid(unpaid);
  }

  onTaken(n: number): void {
    this.bytesOut += n;
    this.#traffic.bytesOut += n;
    this.#traffic.writes.observe(n);
    this.#clocks.progress();
  }

  onRefused(kind: "busy" | "rate_limited"): void {
    this.#host.counters.failed(kind, "write", undefined);
  }

  onWritten(n: number): void {
    this.#clocks.progress();
    this.outbox.written(n);
  }

  onDrain(): void {
    this.outbox.drained();
  }

  onEnd(): void {
    if (this.#reading.held > 0) {
      this.#after = "end";
      return;
    }
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.#clocks.ended();
    if (this.#state === "open") this.#sink!.end();
  }

  onClose(fault: SocketFault | undefined): void {
    this.#info ??= this.#facts();
    this.#pending = this.#socket = undefined;
    if (this.#state === "open" && this.#after === "end" && fault === undefined) {
      this.#after = "close"; // in order, and what is held comes first; it keeps its slot until then
      return;
    }
    if (this.#state !== "closed") this.#finish(this.#cause ?? this.#reasonOf(fault));
    this.#host.onReleased(this);
  }

  resume(owed: number = 0): void {
    if (this.#state !== "open") return;
    this.#clocks.resumed(owed);
    this.#reading.resume(owed);
  }

  retain(bytes: number, finished: boolean = false): void {
    if (this.#state === "open") this.#reading.retain(bytes, finished);
    else if (this.#state === "closed") this.#account.retain(bytes);
  }

  leave(bytes: number): boolean {
    if (this.#account.close(bytes, this.#closing)) return true;
    this.#host.counters.failed("busy", "read", undefined);
    return false;
  }

  reserve(bytes: number, onGrant: () => void): boolean {
    return this.#state === "closed" || this.#reading.reserve(bytes, onGrant);
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

  /**
   * Ends our side once all is sent; the peer may go on.
   *
   * @throws {TransportError} `misuse` where one side cannot end alone, and the peer has not ended.
   */
  closeWrite(): void {
    if (this.#socket?.halfCloses === false && !this.#peerEnded) {
      throw new TransportError(
        "misuse",
        "This connection cannot end one side alone, as Tor's streams have no half-close (nor has Bun's TLS " +
          "over them): what the peer has under way would be lost; close() once all is received",
        { op: "closeWrite" },
      );
    }
    this.outbox.end(closedError("the write side was closed"));
  }

  close(): Promise<void> {
    if (this.#state === "opening") this.abort();
    if (this.#state === "open") {
      this.#state = "draining";
      this.#closing = true;
      this.#cause = { kind: "closed", by: this.#peerEnded ? "remote" : "local" };
      this.#clocks.draining();
      this.#reading.drain();
      this.outbox.end(closedError("the connection was closed"));
      // The socket has closed already, and only bytes that were held kept the link open.
      if (this.#socket === undefined) this.#finish(this.#cause);
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

  onExpire(name: DeadlineName): void {
    this.fail(timeoutError(name, this.role, this.#host.config()));
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
    this.#clocks.close();
    this.#reading.close();
    const error = reason.error ?? closedError("the connection is closed");
    this.outbox.fail(error);
    this.#sink?.closed(reason);
    this.#abort?.abort(error);
    this.#account.close();
    this.#host.onClosed(this, reason);
    this.#closed?.resolve(reason);
    // Last, as it can take long: no promise waits for the kernel.
    const socket = this.#socket ?? this.#pending;
    this.#socket = this.#pending = undefined;
    if (socket === undefined) {
      if (this.#after === "close") this.#host.onReleased(this);
      return;
    }
    this.#host.reaper.take(() => socket.destroy());
  }

  #facts(socket: Socket | undefined = this.#socket): ConnectionInfo {
    const { id, role, address } = this.options;
    const backend = address.transport!;
    const info = socket?.info;
    const remote = info?.remote ?? this.#pending?.remote;
    const uid = info?.uid ?? this.#pending?.uid ?? undefined;
    return Object.freeze({
      id,
      role,
      backend,
      ...(remote === undefined ? {} : { remote }),
      ...(uid === undefined ? {} : { peerUid: uid }),
      ...(info?.local === undefined ? {} : { local: info.local }),
      ...(info?.tls === undefined ? {} : { tls: info.tls }),
      ...(this.openedAfter === undefined ? {} : { openedAfterMs: this.openedAfter }),
    });
  }
}

function closedError(what: string): TransportError {
  return new TransportError("misuse", `Nothing more can be sent: ${what}`, { op: "write" });
}
