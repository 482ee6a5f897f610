/**
 * What a connection hands its bytes to, and what it offers in return.
 *
 * The transport core knows nothing of OAP. A protocol takes a connection over as a
 * {@linkcode Sink}; from the three figures of each {@linkcode SinkReport} the connection runs its
 * clocks and budgets without looking at a byte. The codec of `@ron/transport/oap` is one such sink.
 *
 * @module
 */

import { CAPS } from "./caps.ts";
import type { TransportError } from "./errors.ts";
import type { CloseReason } from "./close_reason.ts";
import type { ConnectionInfo } from "./connection.ts";

/** What each part of retained input counts at least, in bytes: an object costs that much itself. */
export const PART_BYTES = 128;

/**
 * How much a sink may let gather for its consumer, in bytes: one that keeps as much and has something to
 * deliver asks for a pause. What one more receive brings comes on top.
 */
export const GATHER_BYTES: number = CAPS.chunkBytes;

/** What one push left behind. */
export interface SinkReport {
  /**
   * Bytes the sink keeps of what it was given, in all, each part counting at least {@linkcode PART_BYTES};
   * without those that {@linkcode Carrier.reserve} reserved.
   */
  readonly retained: number;
  /** Bytes still owed to finish what has begun, in all; 0 between frames. */
  readonly owed: number;
  /** Units (frames) that this push completed. */
  readonly completed: number;
  /** Stop reading until {@linkcode Carrier.resume}: the consumer is behind, or memory is waited for. */
  readonly pause: boolean;
  /** The pause is for memory: the peer's frame deadline goes on. */
  readonly waits?: boolean;
  /**
   * Whether the memory of this push, where it was `owned`, is in use still. Where it is `false`, it is freed
   * at once; else the garbage collector sees to it.
   */
  readonly kept?: boolean;
}

/** A consumer of a connection's bytes. Calls are synchronous and come one at a time. */
export interface Sink {
  /**
   * Takes bytes. Unless `owned`, they are valid only inside the call, and lie in memory that connections share:
   * it must not be transferred. A call may follow one that has paused.
   *
   * A fault in them is not thrown: call {@linkcode Carrier.fail} and return.
   */
  push(bytes: Uint8Array, owned: boolean): SinkReport;
  /** The peer will send no more. A fault (an unfinished frame) goes to {@linkcode Carrier.fail}. */
  end(): void;
  /**
   * The transport drains: finish what is in flight, then call {@linkcode Carrier.close}. A sink
   * without it is closed in order at once.
   */
  drain?(): void;
  /** The connection is closed; nothing follows. Settle every wait now. */
  closed(reason: CloseReason): void;
}

/** Told once when written memory is free again, or why it was never sent. */
export type WriteDone = (error: TransportError | undefined) => void;

/**
 * The write side of a connection as its owner sees it: one bounded inbox, drained by the one writer.
 * Nothing is copied, and no state changes, when an item is refused.
 */
export interface Outbox {
  /** Why nothing more can be written, or `undefined` while the write side is open. */
  readonly failure: TransportError | undefined;
  /** Items queued and not yet handed over. */
  readonly items: number;
  /** Most bytes {@linkcode Outbox.reserve} takes. */
  readonly smallBytes: number;
  /** The memory that {@linkcode Outbox.reserve} reserved from. Changes with every call. */
  readonly block: Uint8Array;
  /** {@linkcode Outbox.block} as a `DataView`. */
  readonly blockView: DataView;
  /**
   * Makes room for one small item inside the coalescing block, for the caller to fill at once.
   *
   * @param n Bytes, at most `smallBytes`.
   * @returns The offset in `block`, or -1 when it was refused: see {@linkcode Outbox.refusal}.
   */
  reserve(n: number): number;
  /**
   * Queues memory by reference, as one item; it must not change until `done`.
   *
   * @returns `false` when it was refused; `done` is not called then: see {@linkcode Outbox.refusal}.
   */
  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean;
  /**
   * The error of an item that was just refused: why nothing can be written any more, `busy`, or
   * `rate_limited`. Counts the refusal, so ask once.
   *
   * @param n Bytes of the item.
   */
  refusal(n: number): TransportError;
  /** Whether so many wait in line that {@linkcode Outbox.inTurn} would refuse one more. */
  readonly crowded: boolean;
  /**
   * Waits in line, at most 256 callers at a time. Nobody overtakes: while some wait, everyone else is
   * refused. What is put in turn is paid for as it is sent, however low the egress rate.
   *
   * @param bytes Bytes of the item.
   * @param put Queues the item, by {@linkcode Outbox.reserve} or {@linkcode Outbox.push}, as soon as there
   * is room for that many; `false` keeps it waiting.
   * @returns Once it is queued.
   * @throws {TransportError} `busy` when the line is full; the failure when the write side closes; what
   * `put` throws; the signal's reason.
   */
  inTurn(bytes: number, put: () => boolean, signal?: AbortSignal): Promise<void>;
}

/** What a connection offers the sink that took it over. */
export interface Carrier {
  /** The connection's facts. */
  readonly info: ConnectionInfo;
  /** Which end this is. */
  readonly role: "dialer" | "listener";
  /** The write side. */
  readonly outbox: Outbox;
  /** Largest frame the configuration allows now, in bytes; at most the cap. A reload can change it. */
  readonly maxFrameBytes: number;
  /** Largest stream chunk the configuration allows now, in bytes; at most the cap. */
  readonly chunkBytes: number;
  /** Aborted when the connection closes. */
  readonly signal: AbortSignal;
  /** Resolves once, with the first cause. */
  readonly closed: Promise<CloseReason>;
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `ms`, unless cancelled or the connection closes. */
  after(ms: number, callback: () => void): { cancel(): void };
  /**
   * Reading goes on after a report that asked for a pause.
   *
   * @param owed Bytes still owed to finish what has begun, as in {@linkcode SinkReport.owed}. @default {0}
   */
  resume(owed?: number): void;
  /**
   * What the sink retains has changed since its last report.
   *
   * @param finished The unit is complete that memory was reserved for: the reservation ends, and what
   * the sink still keeps of the unit is in `bytes`.
   */
  retain(bytes: number, finished?: boolean): void;
  /**
   * For {@linkcode Sink.closed}: so many bytes are kept for a consumer that is behind. They count until
   * {@linkcode Carrier.retain} tells that they are taken.
   *
   * @returns `false` where there is no room for them, and they must go.
   */
  leave(bytes: number): boolean;
  /**
   * Reserves memory for a unit above one chunk, before any of it is taken; 0 gives it back.
   *
   * @param onGrant Called once, later, if it is not there at once; never after the close.
   * @returns Whether it is there now.
   */
  reserve(bytes: number, onGrant: () => void): boolean;
  /** Counts a chunk that a body was cut into. */
  chunked(bytes: number): void;
  /**
   * Something that all connections of the transport share, such as a protocol's totals: made by whoever
   * asks first.
   *
   * @param key Whose it is.
   */
  shared<T extends object>(key: symbol, make: () => T): T;
  /** Breaks the connection off with this cause. */
  fail(error: TransportError): void;
  /** Flushes the inbox, half-closes, and waits for the peer's end; then closes. */
  close(): Promise<void>;
}

/** Something whose bytes a sink can take over: a `Connection`. */
export interface Attachable {
  /**
   * Gives the bytes to `sink` from here on. Afterwards the connection's own `read` and `write` throw `misuse`.
   *
   * @param make Builds the sink from what the connection offers.
   * @throws {TransportError} `misuse` when taken over before, or read from.
   * @internal
   */
  attach<T extends Sink>(make: (carrier: Carrier) => T): T;
}
