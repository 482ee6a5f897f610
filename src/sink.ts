/**
 * What a connection hands its bytes to, and what it offers in return.
 *
 * The transport core knows nothing of OAP. A protocol takes a connection over as a
 * {@linkcode Sink}; from the three figures of each {@linkcode SinkReport} the connection runs its
 * clocks and budgets without looking at a byte. The codec of `@ron/transport/oap` is one such sink.
 *
 * @module
 */

import type { TransportError } from "./errors.ts";
import type { CloseReason } from "./close_reason.ts";
import type { ConnectionInfo } from "./connection.ts";

/** What one push left behind. */
export interface SinkReport {
  /** Bytes the sink keeps of unfinished input, in all. */
  readonly retained: number;
  /** Bytes still owed to finish what has begun, in all; 0 between frames. */
  readonly owed: number;
  /** Units (frames) that this push completed. */
  readonly completed: number;
  /** The consumer is behind: stop reading until {@linkcode Carrier.resume}. */
  readonly pause: boolean;
}

/** A consumer of a connection's bytes. Calls are synchronous and come one at a time. */
export interface Sink {
  /**
   * Takes bytes. Unless `owned`, they are valid only inside the call.
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
   * @returns The offset in `block`, or -1 when the inbox is full (`busy`) or the write side closed.
   */
  reserve(n: number): number;
  /**
   * Queues memory by reference, as one item; it must not change until `done`.
   *
   * @returns `false` when the inbox is full (`busy`) or the write side closed; `done` is not called then.
   */
  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean;
  /**
   * Waits in line for room, at most 256 callers at a time.
   *
   * @throws {TransportError} `busy` when the line is full; the failure when the write side closes; the signal's reason.
   */
  room(signal?: AbortSignal): Promise<void>;
}

/** What a connection offers the sink that took it over. */
export interface Carrier {
  /** The connection's facts. */
  readonly info: ConnectionInfo;
  /** Which end this is. */
  readonly role: "dialer" | "listener";
  /** The write side. */
  readonly outbox: Outbox;
  /** Largest frame the configuration allows, in bytes; at most the cap. */
  readonly maxFrameBytes: number;
  /** Largest stream chunk the configuration allows, in bytes; at most the cap. */
  readonly chunkBytes: number;
  /** Aborted when the connection closes. */
  readonly signal: AbortSignal;
  /** Resolves once, with the first cause. */
  readonly closed: Promise<CloseReason>;
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `ms`, unless cancelled or the connection closes. */
  after(ms: number, callback: () => void): { cancel(): void };
  /** Reading goes on after a report that asked for a pause. */
  resume(): void;
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
