/**
 * The one writer of a connection: a bounded inbox, drained in order into the socket.
 *
 * Nothing else touches a socket's write side. Small items are gathered in a block of 64 KiB and go
 * out as one write; large ones go as they are, by reference. An item is refused whole, before
 * anything is copied, when the inbox is full.
 *
 * @module
 */

import { type Block, BLOCK_BYTES, type BlockPool } from "./block_pool.ts";
import { TransportError } from "./errors.ts";
import type { Socket } from "./runtime/runtime.ts";
import type { Outbox, WriteDone } from "./sink.ts";

/** Most callers that wait for room at a time. */
const WAITERS = 256;
/** Items up to this size are copied into a block; larger ones go by reference. */
const SMALL_BYTES = 16_384;

/** What a writer is bounded by, and what it tells. */
export interface WriterOptions {
  /** Most items. */
  readonly items: number;
  /** Most bytes. */
  readonly bytes: number;
  /** Where blocks come from. */
  readonly pool: BlockPool;
  /** Called when the inbox becomes busy (first byte waits) or idle (all is handed over). */
  readonly onBusy: (busy: boolean) => void;
  /** Called after each write with the bytes the runtime took. */
  readonly onTaken: (n: number) => void;
  /** Counts an item refused because the inbox was full. */
  readonly onRefused: () => void;
}

/**
 * One run of memory to send. Invariant: `0 <= released <= taken <= end <= bytes.length`, where
 * `taken` bytes went to the runtime and `released` of them are free again.
 */
interface Run {
  readonly bytes: Uint8Array;
  readonly block: Block | undefined;
  done: WriteDone | undefined;
  items: number;
  released: number;
  taken: number;
  end: number;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** See the module. Made when the socket is; starts sending at {@linkcode Writer.start}. */
export class Writer implements Outbox {
  readonly smallBytes: number = SMALL_BYTES;
  readonly #options: WriterOptions;
  readonly #runs: Run[] = [];
  readonly #waiters: Waiter[] = [];
  #socket: Socket | undefined;
  #failure: TransportError | undefined;
  #ending = false;
  #shut = false;
  #scheduled = false;
  #blocked = false;
  #next = 0; // index in #runs of the first run that is not wholly taken
  #items = 0;
  #bytes = 0;
  #block: Block | undefined;

  /** @param options The bounds, and whom to tell. */
  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get failure(): TransportError | undefined {
    return this.#failure;
  }

  get items(): number {
    return this.#items;
  }

  /** Bytes queued, or lent to the runtime. */
  get bytes(): number {
    return this.#bytes;
  }

  get block(): Uint8Array {
    return this.#block!.bytes;
  }

  get blockView(): DataView {
    return this.#block!.view;
  }

  reserve(n: number): number {
    if (!this.#admit(n)) return -1;
    return this.#reserve(n);
  }

  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean {
    const headLength = head === undefined ? 0 : head.length;
    const n = headLength + body.length;
    if (!this.#admit(n)) return false;
    if (n <= SMALL_BYTES) {
      const at = this.#reserve(n);
      if (head !== undefined) this.#block!.bytes.set(head, at);
      this.#block!.bytes.set(body, at + headLength);
      done?.(undefined);
      return true;
    }
    // One item in up to two runs: the head joins the block, the body stays where it is.
    if (head !== undefined && headLength <= SMALL_BYTES) {
      const at = this.#reserve(headLength);
      this.#block!.bytes.set(head, at);
      this.#runs[this.#runs.length - 1]!.items--;
      this.#items--;
    } else if (head !== undefined) {
      this.#append(head, undefined, undefined, headLength, 0);
    }
    this.#append(body, undefined, done, body.length, 1);
    return true;
  }

  room(signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#hasRoom(0) && this.#waiters.length === 0) return Promise.resolve();
    if (this.#waiters.length >= WAITERS) {
      this.#options.onRefused();
      return Promise.reject(busy(`${WAITERS} callers wait for room in the writer inbox already`));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(signal!.reason);
      };
      const settle = (): void => signal?.removeEventListener("abort", onAbort);
      const waiter: Waiter = {
        resolve: () => (settle(), resolve()),
        reject: (error) => (settle(), reject(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** The socket is usable: begin to send. */
  start(socket: Socket): void {
    this.#socket = socket;
    this.#flush();
  }

  /** Nothing more is accepted; once all is sent, the socket is shut down for writing. */
  end(failure: TransportError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#ending = true;
    this.#rejectWaiters(failure);
    this.#flush();
  }

  /** Nothing more is sent. What was queued is told so; memory lent to the runtime is left to it. */
  fail(failure: TransportError): void {
    this.#failure ??= failure;
    this.#ending = false;
    this.#socket = undefined;
    this.#rejectWaiters(failure);
    const runs = this.#runs.splice(0);
    const lent = this.#next;
    this.#next = this.#items = this.#bytes = 0;
    this.#block = undefined;
    runs.forEach((run, i) => {
      if (run.block !== undefined && i >= lent && run.taken === run.released) {
        this.#options.pool.give(run.block);
      }
      run.done?.(failure);
    });
  }

  /** The runtime no longer reads the oldest `n` lent bytes. */
  written(n: number): void {
    this.#release(n);
    this.#finishIfDone();
  }

  /** The runtime takes bytes again. */
  drained(): void {
    this.#blocked = false;
    this.#flush();
  }

  #admit(n: number): boolean {
    if (this.#failure !== undefined) return false;
    if (this.#hasRoom(n)) return true;
    this.#options.onRefused();
    return false;
  }

  #hasRoom(n: number): boolean {
    return this.#items < this.#options.items && this.#bytes + n <= this.#options.bytes;
  }

  #reserve(n: number): number {
    let run = this.#runs[this.#runs.length - 1];
    if (run?.block === undefined || run.end + n > BLOCK_BYTES) {
      this.#block = this.#options.pool.take();
      run = this.#append(this.#block.bytes, this.#block, undefined, 0, 0);
    }
    // A run that was wholly taken before gets a tail: it is the next to send again.
    if (this.#next === this.#runs.length) this.#next--;
    this.#block = run.block;
    const at = run.end;
    run.end += n;
    run.items++;
    this.#items++;
    this.#bytes += n;
    this.#schedule();
    return at;
  }

  #append(
    bytes: Uint8Array,
    block: Block | undefined,
    done: WriteDone | undefined,
    end: number,
    items: number,
  ): Run {
    const run: Run = { bytes, block, done, items, released: 0, taken: 0, end };
    if (this.#runs.length === 0) this.#options.onBusy(true);
    this.#runs.push(run);
    this.#items += items;
    this.#bytes += end;
    this.#schedule();
    return run;
  }

  /** One flush a turn, after its small items are gathered. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#socket === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#blocked) return;
    const several = this.#runs.length - this.#next > 1;
    if (several) socket.cork();
    while (this.#next < this.#runs.length && this.#socket !== undefined) {
      const run = this.#runs[this.#next]!;
      const want = run.end - run.taken;
      if (want > 0) {
        const took = socket.write(view(run));
        run.taken += took;
        if (took > 0) this.#options.onTaken(took);
        if (took < want) {
          this.#blocked = true;
          break;
        }
      }
      this.#next++;
    }
    if (several) socket.uncork();
    this.#release(socket.lends ? 0 : Infinity);
    this.#finishIfDone();
  }

  /** Frees up to `n` taken bytes, oldest first. A run that is wholly free leaves the queue. */
  #release(n: number): void {
    let finished = 0;
    for (const run of this.#runs) {
      const freed = Math.min(n, run.taken - run.released);
      run.released += freed;
      this.#bytes -= freed;
      n -= freed;
      if (run.released < run.end) break;
      finished++;
    }
    if (finished === 0) return;
    // Out of the queue first: whoever is told may write again, or break the connection off.
    const free = this.#runs.splice(0, finished);
    this.#next = Math.max(0, this.#next - finished);
    for (const run of free) {
      this.#items -= run.items;
      if (run.block !== undefined) this.#options.pool.give(run.block);
    }
    if (this.#runs.length === 0) {
      this.#block = undefined;
      this.#options.onBusy(false);
    }
    for (const run of free) run.done?.(undefined);
    this.#wake();
  }

  /** Wakes as many waiters, in order, as there are free items; each tries again. */
  #wake(): void {
    if (this.#waiters.length === 0 || !this.#hasRoom(0)) return;
    const n = this.#options.items - this.#items;
    for (const waiter of this.#waiters.splice(0, n)) waiter.resolve();
  }

  #finishIfDone(): void {
    if (!this.#ending || this.#shut || this.#runs.length > 0) return;
    this.#shut = true;
    this.#socket?.shutdown();
  }

  #rejectWaiters(error: TransportError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}

/** The part of a run that the runtime has not taken; the run's own memory where that is all of it. */
function view(run: Run): Uint8Array {
  if (run.taken === 0 && run.end === run.bytes.length) return run.bytes;
  return new Uint8Array(run.bytes.buffer, run.bytes.byteOffset + run.taken, run.end - run.taken);
}

function busy(what: string): TransportError {
  return new TransportError("busy", `${what}: wait for an earlier write, or send less at once`, {
    op: "write",
  });
}
