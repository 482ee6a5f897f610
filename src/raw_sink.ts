/**
 * The sink of a connection that nobody took over: a bounded hold of bytes, and one reader.
 *
 * @module
 */

import { type CloseReason, leftBehind } from "./close_reason.ts";
import { TransportError } from "./errors.ts";
import { keep } from "./keep.ts";
import type { Link } from "./link.ts";
import { GATHER_BYTES, PART_BYTES, type Sink, type SinkReport } from "./sink.ts";

/** What the sink needs of its link. */
export interface RawSource {
  /** Runs the read clock while a reader waits. */
  waiting(on: boolean): void;
  /** Reading goes on. */
  resume(owed: number): void;
  /** What is held has changed. */
  retain(bytes: number): void;
  /** It is over, and so much is held; `false`: there is no room for it. */
  leave(bytes: number): boolean;
}

interface Reader {
  readonly into: Uint8Array;
  resolve(n: number | null): void;
  reject(error: unknown): void;
}

/** See the module. */
export class RawSink implements Sink {
  readonly #source: RawSource;
  readonly #held: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #reader: Reader | undefined;
  #ended = false;
  #reason: CloseReason | undefined;

  /** @param source The link. */
  constructor(source: RawSource) {
    this.#source = source;
  }

  /** What is held, each part counting at least what it costs. */
  get #retained(): number {
    return this.#bytes + PART_BYTES * this.#held.length;
  }

  push(bytes: Uint8Array, owned: boolean): SinkReport {
    let from = 0;
    let kept = false;
    const reader = this.#reader;
    if (reader !== undefined && bytes.length > 0) {
      from = Math.min(bytes.length, reader.into.length);
      reader.into.set(from === bytes.length ? bytes : bytes.subarray(0, from));
      this.#reader = undefined;
      reader.resolve(from);
    }
    if (from < bytes.length) {
      const rest = from === 0 ? bytes : bytes.subarray(from);
      const part = keep(rest, owned);
      kept = part === rest;
      this.#held.push(part);
      this.#bytes += rest.length;
    }
    this.#paused = this.#retained >= GATHER_BYTES;
    const retained = this.#retained;
    return { retained, owed: 0, completed: 1, pause: this.#paused, waits: false, kept };
  }

  end(): void {
    this.#ended = true;
    this.#take()?.resolve(null);
  }

  closed(reason: CloseReason): void {
    let error = failure(reason);
    if (error === undefined && this.#bytes > 0 && !this.#source.leave(this.#retained)) {
      error = leftBehind();
    }
    this.#reason = error === undefined ? reason : { kind: error.kind, by: error.origin, error };
    if (error !== undefined) {
      // no limit counts it any more, and a peer that resets could come again without end
      this.#held.length = 0;
      this.#bytes = 0;
    }
    const reader = this.#take();
    if (reader === undefined) return;
    if (error === undefined) reader.resolve(null);
    else reader.reject(error);
  }

  /** Reads up to `into.length` bytes; `null` at the end of input. */
  read(into: Uint8Array, signal: AbortSignal | undefined): Promise<number | null> {
    if (this.#reader !== undefined) {
      return Promise.reject(
        new TransportError("misuse", "One read at a time: another one is waiting", { op: "read" }),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#bytes > 0) return Promise.resolve(this.#drain(into));
    if (this.#reason !== undefined) {
      const error = failure(this.#reason);
      return error === undefined ? Promise.resolve(null) : Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(null);
    if (into.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#take();
        reject(signal!.reason);
      };
      const settle = (): void => signal?.removeEventListener("abort", onAbort);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#reader = {
        into,
        resolve: (n) => (settle(), resolve(n)),
        reject: (error) => (settle(), reject(error)),
      };
      this.#source.waiting(true);
    });
  }

  /** Gives what is held, and all that follows, to another sink. */
  handOver(sink: Sink, link: Link): void {
    this.#take()?.reject(
      new TransportError("misuse", "A protocol took the connection over", { op: "read" }),
    );
    link.use(sink);
    const held = this.#held.splice(0);
    this.#bytes = 0;
    if (!link.isOpen) {
      // What came before an orderly end is the new sink's as it was this one's. The link passes nothing on.
      let retained = 0;
      for (const bytes of held) ({ retained } = sink.push(bytes, true));
      link.retain(retained);
    } else {
      for (const bytes of held) {
        link.deliver(bytes);
        if (link.isClosed) break; // the sink's doing
      }
      if (link.isClosed) link.retain(0);
    }
    if (this.#reason !== undefined) sink.closed(this.#reason);
    else if (this.#ended && !link.isClosed) sink.end();
  }

  #take(): Reader | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) this.#source.waiting(false);
    return reader;
  }

  #drain(into: Uint8Array): number {
    let n = 0;
    while (n < into.length && this.#held.length > 0) {
      const first = this.#held[0]!;
      const take = Math.min(first.length, into.length - n);
      into.set(take === first.length ? first : first.subarray(0, take), n);
      if (take === first.length) this.#held.shift();
      else this.#held[0] = keep(first.subarray(take), true);
      n += take;
    }
    this.#bytes -= n;
    this.#source.retain(this.#retained);
    if (this.#paused && this.#retained < GATHER_BYTES) {
      this.#paused = false;
      this.#source.resume(0);
    }
    return n;
  }
}

function failure(reason: CloseReason): TransportError | undefined {
  if (reason.kind === "closed") return undefined;
  return reason.error ??
    new TransportError("io_closed", "The connection was aborted", { op: "read" });
}
